"""The stack's gateway with Linkerd: Envoy Gateway with its proxies in the mesh, or another's.

https://linkerd.io/2-edge/tasks/using-ingress/
"""

from __future__ import annotations

import json
from typing import Any

from components.chart import Chart, Part, Values, merge_values
from components.ingress import NOT_FOUND
from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.linkerd import tracing
from components.mesh.linkerd.gateway_class import EnvoyGatewayClass, GatewayClass
from components.mesh.linkerd.injection import INJECT, PRIVILEGED
from components.mesh.linkerd.proxy import PREFIX
from components.mesh.linkerd.settings import LinkerdSettings
from components.mesh.protocol import Ingress, Metadata

NAME = "inference"
"""Name of the Gateway, and of what belongs to it."""

ENVOY_GROUP = "gateway.envoyproxy.io"
ENVOY = f"{ENVOY_GROUP}/v1alpha1"
CONTROLLER = f"{ENVOY_GROUP}/gatewayclass-controller"

REPOSITORY = "oci://docker.io/envoyproxy"
RELEASE = "envoy-gateway"

ENVOY_NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway runs, and the proxies that it makes for every Gateway."""

OTHER_NAMESPACE = "inference-gateway"

CONTAINER_PORTS = (10080, 10443)
"""Where Envoy listens for ports 80 and 443, which a container without root cannot open."""


def namespace(settings: LinkerdSettings) -> str:
    return ENVOY_NAMESPACE if _envoy(settings.gateway) else OTHER_NAMESPACE


def namespace_metadata(settings: LinkerdSettings) -> Metadata:
    """Envoy Gateway's own pods stay out of the mesh; the proxies that it makes say that they are
    in."""
    return Metadata(PRIVILEGED) if _envoy(settings.gateway) else Metadata()


def principal(settings: LinkerdSettings) -> str:
    """The identity of the gateway's proxies."""
    found = settings.gateway
    if isinstance(found, GatewayClass):
        return found.principal
    return f"{settings.trust_domain}/ns/{ENVOY_NAMESPACE}/sa/{NAME}"


def parts(settings: LinkerdSettings) -> tuple[Part, ...]:
    """Envoy Gateway with its own definitions. Helm leaves the Gateway API's, which are there."""
    found = settings.gateway
    if not isinstance(found, EnvoyGatewayClass) or not found.install:
        return ()
    # Of the Gateway API's owner, who is another here.
    values: Values = {"crds": {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}}}
    if settings.high_availability:
        values["deployment"] = {"replicas": 2}
        values["podDisruptionBudget"] = {"minAvailable": 1}
    merged = merge_values(values, settings.values.gateway)
    version = f"v{found.version}"
    return (Chart("gateway-helm", RELEASE, ENVOY_NAMESPACE, version, REPOSITORY, merged),)


def listeners(
    settings: LinkerdSettings, ingress: Ingress, traces_endpoint: str | None
) -> tuple[Manifest, ...]:
    """HTTPS with the certificate, and HTTP that is redirected to it."""
    found, place = settings.gateway, namespace(settings)
    if isinstance(found, GatewayClass):
        # Whoever installed the class meshes its proxies; this is for those that it makes now.
        meshed = {"annotations": {INJECT: "enabled"}}
        return gateway_api.gateway(
            NAME,
            place,
            found.name,
            ingress.tls_secret,
            infrastructure=meshed,
        )
    parameters = {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": NAME}
    spec = {"controllerName": CONTROLLER}
    proxies = _proxies(settings, ingress)
    proxies |= tracing.of_gateway(traces_endpoint, ingress.traces_sampling_percent)
    return (
        manifest(gateway_api.VERSION, "GatewayClass", found.name, spec=spec),
        manifest(ENVOY, "EnvoyProxy", NAME, place, spec=proxies),
        *gateway_api.gateway(
            NAME,
            place,
            found.name,
            ingress.tls_secret,
            infrastructure={"parametersRef": parameters},
        ),
        _patience(place),
        *_not_found(place, [host for host in ingress.hosts if host in ingress.open_hosts]),
    )


def _proxies(settings: LinkerdSettings, ingress: Ingress) -> dict[str, Any]:
    """Envoy sends to the Service's address, so that the Linkerd proxy beside it chooses the pod,
    and the version, as it does for every caller."""
    annotations = {
        INJECT: "enabled",
        # Requests from outside are TLS for Envoy: past Linkerd they keep the caller's address.
        f"{PREFIX}skip-inbound-ports": ",".join(map(str, CONTAINER_PORTS)),
        f"{PREFIX}shutdown-grace-period": f"{ingress.grace_seconds}s",
    }
    deployment: dict[str, Any] = {"pod": {"annotations": annotations}}
    kubernetes: dict[str, Any] = {
        "envoyServiceAccount": {"name": NAME},
        "envoyService": {"type": "LoadBalancer", "externalTrafficPolicy": "Cluster"},
    }
    if ingress.service_annotations:
        kubernetes["envoyService"]["annotations"] = ingress.service_annotations
    if settings.high_availability:
        deployment["replicas"] = 2
        kubernetes["envoyPDB"] = {"maxUnavailable": 1}
    return {
        "routingType": "Service",
        "shutdown": {"drainTimeout": f"{ingress.grace_seconds}s"},
        "provider": {
            "type": "Kubernetes",
            "kubernetes": kubernetes | {"envoyDeployment": deployment},
        },
    }


def _not_found(place: str, hosts: list[str]) -> tuple[Manifest, ...]:
    """What is no model's: a route without matches comes after all others."""
    if not hosts:
        return ()
    name = f"{NAME}-not-found"
    answer = {
        "statusCode": 404,
        "contentType": "application/json",
        "body": {"type": "Inline", "inline": json.dumps(NOT_FOUND)},
    }
    reference = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": name}
    route = {
        "parentRefs": [gateway_api.reference(NAME, place, "https")],
        "hostnames": hosts,
        "rules": [{"filters": [{"type": "ExtensionRef", "extensionRef": reference}]}],
    }
    return (
        manifest(ENVOY, "HTTPRouteFilter", name, place, spec={"directResponse": answer}),
        manifest(gateway_api.VERSION, "HTTPRoute", name, place, spec=route),
    )


def _patience(place: str) -> Manifest:
    """A request that waits for its turn, or for a long prompt to be read, yields nothing for a
    while; Envoy would end it after 5 minutes."""
    target = {"group": gateway_api.GROUP, "kind": "Gateway", "name": NAME}
    spec = {"targetRefs": [target], "timeout": {"http": {"streamIdleTimeout": "0s"}}}
    return manifest(ENVOY, "ClientTrafficPolicy", NAME, place, spec=spec)


def _envoy(found: EnvoyGatewayClass | GatewayClass) -> bool:
    return isinstance(found, EnvoyGatewayClass)
