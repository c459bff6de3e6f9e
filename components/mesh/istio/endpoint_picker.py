"""Pods chosen by the inference extension's endpoint picker: an InferencePool for a model.

The picker reads the queues and caches of the model's pods and tells the gateway, request by
request, which pod is best. Istio has this for routes of the Gateway API alone, so that a host with
such a model is listened on by a Gateway of that kind, bound to the pods that the gateway has.
https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api-inference-extension/
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.chart import Chart, Values
from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.istio import destination, gateway
from components.mesh.istio.model_router import HEADER, REPOSITORY, VERSION
from components.mesh.istio.settings import IstioSettings
from components.model.model import Model
from components.traffic import EndpointPickerBalancing

ISTIOD_VALUES: Values = {"env": {"ENABLE_GATEWAY_API_INFERENCE_EXTENSION": "true"}}

PORT = 9002
"""Where a picker is asked, by Envoy's external processing."""

PROXY_METRICS_PORT = 15020
"""Where a meshed pod gives its metrics with the proxy's, in plain text and to everybody; the
model's own port takes nothing but mutual TLS from its callers."""


METRICS_INTERVAL = "200ms"
"""Between two readings of a pod's metrics. The picker's own 50ms is meant for the server's alone;
here the proxy writes its own out each time too."""


def definitions(settings: IstioSettings) -> tuple[Manifest, ...]:
    """What a cluster has to know: the Gateway API, and the InferencePool."""
    routes = gateway_api.definitions() if settings.gateway_api else ()
    return *routes, _pool_definition()


@cache
def _pool_definition() -> Manifest:
    """No chart has it (https://gateway-api-inference-extension.sigs.k8s.io/guides/)."""
    text = (Path(__file__).parent / "inferencepools.yaml").read_text()
    definition: Manifest = yaml.safe_load(text)
    return definition


def listeners(settings: IstioSettings, tls_secret: str) -> tuple[Manifest, ...]:
    """A Gateway bound to the Service of the pods that are there."""
    service = f"{gateway.RELEASE}.{gateway.NAMESPACE}.svc.cluster.local"
    return gateway_api.gateway(
        gateway.POOLS,
        gateway.NAMESPACE,
        "istio",
        tls_secret,
        labels={"istio.io/rev": settings.revision} if settings.revision else None,
        addresses=[{"type": "Hostname", "value": service}],
    )


def pool(
    settings: IstioSettings, model: Model, balancing: EndpointPickerBalancing, host: str
) -> tuple[Chart | Manifest, ...]:
    """The model's pool with its picker, who may ask it, and the route to it."""
    return (
        _chart(model, balancing),
        _leave(settings, model),
        _destination_rule(model),
        _route(model, host),
    )


def _chart(model: Model, balancing: EndpointPickerBalancing) -> Chart:
    unmeshed = model.adoption == "unmeshed"
    metrics_port = model.port if unmeshed else PROXY_METRICS_PORT
    path = model.settings.runtime.metrics_path if unmeshed else "/stats/prometheus"
    picker: dict[str, Any] = {
        "extProcPort": PORT,
        # Any pod is better than none.
        "failureMode": "FailOpen",
        "resources": {
            "requests": {"cpu": balancing.cpu, "memory": balancing.memory},
            "limits": {"memory": balancing.memory},
        },
        "flags": {
            "v": 1,
            "model-server-metrics-port": metrics_port,
            "refresh-metrics-interval": METRICS_INTERVAL,
            # The proxy beside it has the encryption, with identities on both sides. The chart
            # writes a flag and its value apart, which a switch does not take.
            "secure-serving=false": "",
        },
        "metricsDataSource": {"path": path},
    }
    values = {
        "inferenceExtension": picker,
        "inferencePool": {
            "targetPorts": [{"number": model.port}],
            "modelServers": {"matchLabels": model.selector},
        },
    }
    return Chart(
        "inferencepool",
        model.service,
        model.namespace,
        VERSION,
        REPOSITORY,
        values,
        per_model=True,
    )


def _leave(settings: IstioSettings, model: Model) -> Manifest:
    """The gateway alone may ask the picker, where nobody may unless it is said."""
    rule = {
        "from": [{"source": {"principals": [gateway.principal(settings)]}}],
        "to": [{"operation": {"ports": [str(PORT)]}}],
    }
    picker = {"inferencepool": f"{model.service}-epp"}
    return manifest(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        f"{model.service}-endpoint-picker",
        model.namespace,
        labels=model.labels,
        spec={"selector": {"matchLabels": picker}, "action": "ALLOW", "rules": [rule]},
    )


def _destination_rule(model: Model) -> Manifest:
    """The pool's pods behave as the model's do for its other callers."""
    policy = destination.traffic_policy(model.settings.traffic)
    return manifest(
        destination.GROUP,
        "DestinationRule",
        f"{model.service}-pool",
        model.namespace,
        labels=model.labels,
        spec={"host": f"{_pool_service(model)}.{model.namespace}.svc.cluster.local"}
        | {"trafficPolicy": policy},
    )


def _pool_service(model: Model) -> str:
    """The Service that istiod makes for a pool, by a name of its own choice.

    https://github.com/istio/istio/blob/1.31.1/pilot/pkg/config/kube/gateway/inferencepool_collection.go
    """
    return f"{model.service}-ip-{hashlib.sha256(model.service.encode()).hexdigest()[:8]}"


def _route(model: Model, host: str) -> Manifest:
    backend = {
        "group": "inference.networking.k8s.io",
        "kind": "InferencePool",
        "name": model.service,
    }
    parent = gateway_api.reference(gateway.POOLS, gateway.NAMESPACE, "https")
    rule: dict[str, Any] = {"name": model.name, **_place(model), "backendRefs": [backend]}
    if response := model.settings.traffic.timeouts.response:
        rule["timeouts"] = {"request": response}
    name = f"{model.service}-gateway"
    return gateway_api.http_route(model, name, parent, [rule], hostnames=[host])


def _place(model: Model) -> dict[str, Any]:
    """What comes in for the model, with the rewrite that takes its prefix away."""
    route = model.settings.route
    match: dict[str, Any] = {}
    rewrite: dict[str, Any] = {}
    if route and (prefix := route.prefix.rstrip("/")):
        match["path"] = {"type": "PathPrefix", "value": prefix}
        path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
        rewrite = {"filters": [{"type": "URLRewrite", "urlRewrite": {"path": path}}]}
    if route and route.by_model:
        match["headers"] = [{"type": "Exact", "name": HEADER, "value": model.name}]
    return ({"matches": [match]} if match else {}) | rewrite
