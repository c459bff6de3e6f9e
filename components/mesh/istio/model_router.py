"""Routing by the `model` of a request's body: the inference extension's body-based router.

It reads the body of a request, which a route cannot match, and writes the model's name into a
header, which a route can. The gateway asks it before it chooses the route.
https://gateway-api-inference-extension.sigs.k8s.io/guides/serving-multiple-inference-pools-latest/
"""

from __future__ import annotations

from typing import Any

from components.chart import Chart
from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway

HEADER = "x-gateway-model-name"
"""Where the router writes the name, in the lower case of HTTP/2."""

RELEASE = "body-based-router"
PORT = 9004

VERSION = "v1.5.0"
"""Of the inference extension. The last with charts: its router and picker go on as projects of
llm-d, of which the router has no release yet."""

REPOSITORY = "oci://registry.k8s.io/gateway-api-inference-extension/charts"

FILTER = "envoy.filters.http.ext_proc.model"
EXT_PROC = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3"


def chart(replicas: int) -> Chart:
    """The router, without the chart's own filter: that is for gateways of the Gateway API alone,
    and sends every answer of every host through the router too."""
    values = {"bbr": {"name": RELEASE, "port": PORT, "replicas": replicas}}
    return Chart("body-based-routing", RELEASE, gateway.NAMESPACE, VERSION, REPOSITORY, values)


def objects(hosts: tuple[str, ...]) -> tuple[Manifest, ...]:
    """The gateway asks the router about requests to these hosts."""
    return _encryption(), _filter(hosts)


def _host() -> str:
    return f"{RELEASE}.{gateway.NAMESPACE}.svc.cluster.local"


def _encryption() -> Manifest:
    """The router has no proxy and no certificate that anybody could check: it makes its own."""
    tls = {"mode": "SIMPLE", "insecureSkipVerify": True}
    return manifest(
        "networking.istio.io/v1",
        "DestinationRule",
        RELEASE,
        gateway.NAMESPACE,
        spec={"host": _host(), "trafficPolicy": {"tls": tls}},
    )


def _filter(hosts: tuple[str, ...]) -> Manifest:
    """Off, and switched on where a host is served: other hosts' bodies stay untouched."""
    manager = {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    asking = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "GATEWAY", "listener": {"filterChain": manager}},
        "patch": {
            "operation": "INSERT_FIRST",
            "value": {"name": FILTER, "disabled": True, "typed_config": _asking()},
        },
    }
    return manifest(
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        RELEASE,
        gateway.NAMESPACE,
        spec={
            "workloadSelector": {"labels": gateway.pod_selector()},
            "configPatches": [asking, *(_switched_on(host) for host in hosts)],
        },
    )


def _asking() -> dict[str, Any]:
    """The whole request, and nothing of the answer. Without the router's word there is no route
    to choose, so that its failure is the request's."""
    return {
        "@type": f"{EXT_PROC}.ExternalProcessor",
        "failure_mode_allow": False,
        # It answers once it has the whole body, which a slow caller takes its time to send.
        "message_timeout": "60s",
        "processing_mode": {
            "request_header_mode": "SEND",
            "request_body_mode": "FULL_DUPLEX_STREAMED",
            "request_trailer_mode": "SEND",
            "response_header_mode": "SKIP",
        },
        "grpc_service": {"envoy_grpc": {"cluster_name": f"outbound|{PORT}||{_host()}"}},
    }


def _switched_on(host: str) -> dict[str, Any]:
    # Any configuration of its own switches the filter on; there is nothing to change in it.
    on = {"@type": f"{EXT_PROC}.ExtProcPerRoute", "overrides": {}}
    name = f"{host}:{gateway.HTTPS_PORT}"
    return {
        "applyTo": "VIRTUAL_HOST",
        "match": {"context": "GATEWAY", "routeConfiguration": {"vhost": {"name": name}}},
        "patch": {"operation": "MERGE", "value": {"typed_per_filter_config": {FILTER: on}}},
    }
