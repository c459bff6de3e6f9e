"""Istio's ingress gateway: its chart, and the Gateway that listens on it."""

from __future__ import annotations

import json

from components.chart import Chart, Values, merge_values
from components.ingress import NOT_FOUND
from components.kubernetes import Manifest, manifest, topology_spread
from components.mesh.istio.control_plane import REPOSITORY
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Ingress

RELEASE = "istio-ingress"
NAMESPACE = "istio-ingress"
NAME = "inference"
"""Name of the Gateway object."""

POOLS = "inference-pools"
"""Name of the Gateway API's Gateway, for the hosts where endpoint pickers choose pods."""

HTTPS_PORT = 443

REFERENCE = f"{NAMESPACE}/{NAME}"
"""How routes in other namespaces name the Gateway."""


def pod_selector() -> dict[str, str]:
    """The chart labels its pods with the release's name without `istio-`.

    A Gateway that selects `istio: ingressgateway` matches nothing
    (https://github.com/istio/istio/issues/38792).
    """
    return {"istio": RELEASE.removeprefix("istio-")}


def principal(settings: IstioSettings) -> str:
    """The gateway's identity: the chart names the service account after the release."""
    return f"{settings.trust_domain}/ns/{NAMESPACE}/sa/{RELEASE}"


def chart(settings: IstioSettings, ingress: Ingress) -> Chart:
    values = merge_values(_values(settings, ingress), settings.values.gateway)
    return Chart("gateway", RELEASE, NAMESPACE, settings.version, REPOSITORY, values)


def _values(settings: IstioSettings, ingress: Ingress) -> Values:
    values: Values = {
        # A gateway pod that stops serves its open streams to their end, within the grace period.
        "terminationGracePeriodSeconds": ingress.grace_seconds,
        "env": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true", "MINIMUM_DRAIN_DURATION": "15s"},
    }
    if settings.revision:
        values["revision"] = settings.revision
    if ingress.service_annotations:
        values["service"] = {"annotations": ingress.service_annotations}
    if settings.high_availability:
        values["autoscaling"] = {"minReplicas": 2}
        values["podDisruptionBudget"] = {"maxUnavailable": 1}
        values["topologySpreadConstraints"] = [
            topology_spread("kubernetes.io/hostname", pod_selector())
        ]
    else:
        values["autoscaling"] = {"enabled": False}
    if ingress.picked_hosts:
        # istiod gives the filter that asks a picker to the pods of a Gateway of this name alone.
        values["labels"] = {"gateway.networking.k8s.io/gateway-name": POOLS}
    return values


def listeners(ingress: Ingress) -> tuple[Manifest, ...]:
    """HTTPS with the certificate, and HTTP that is redirected to it."""
    hosts = [host for host in ingress.hosts if host not in ingress.picked_hosts]
    if not hosts:
        return ()
    https = {
        "port": {"number": HTTPS_PORT, "name": "https", "protocol": "HTTPS"},
        "hosts": hosts,
        "tls": {"mode": "SIMPLE", "credentialName": ingress.tls_secret},
    }
    http = {
        "port": {"number": 80, "name": "http", "protocol": "HTTP"},
        "hosts": hosts,
        "tls": {"httpsRedirect": True},
    }
    spec = {"selector": pod_selector(), "servers": [https, http]}
    listening = manifest("networking.istio.io/v1", "Gateway", NAME, NAMESPACE, spec=spec)
    return listening, *_not_found([host for host in hosts if host in ingress.open_hosts])


def _not_found(hosts: list[str]) -> tuple[Manifest, ...]:
    """What is no model's: a gateway tries a route that matches everything after all others."""
    if not hosts:
        return ()
    answer = {
        "name": "not-found",
        "directResponse": {"status": 404, "body": {"string": json.dumps(NOT_FOUND)}},
        "headers": {"response": {"set": {"content-type": "application/json"}}},
    }
    spec = {"hosts": hosts, "gateways": [NAME], "http": [answer]}
    return (
        manifest("networking.istio.io/v1", "VirtualService", "not-found", NAMESPACE, spec=spec),
    )
