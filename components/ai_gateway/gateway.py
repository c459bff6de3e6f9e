"""The AI gateway's proxies: inside the cluster, and in the mesh as the mesh says."""

from __future__ import annotations

from typing import Any

from components.ai_gateway.names import NAME, NAMESPACE, PORT
from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.protocol import Metadata

GROUP = "gateway.envoyproxy.io"
VERSION = f"{GROUP}/v1alpha1"

LARGEST_BODY = "50Mi"
"""A body is read whole for its model; Envoy Gateway's own 32Ki would refuse longer prompts."""


def objects(replicas: int, grace_seconds: int, meshed: Metadata) -> tuple[Manifest, ...]:
    parameters = {"group": GROUP, "kind": "EnvoyProxy", "name": NAME}
    members = {"namespaces": {"from": "Selector", "selector": {"matchLabels": gateway_api.MEMBERS}}}
    listener = {"name": "http", "port": PORT, "protocol": "HTTP", "allowedRoutes": members}
    target = {"group": gateway_api.GROUP, "kind": "Gateway", "name": NAME}
    controller = {"controllerName": f"{GROUP}/gatewayclass-controller"}
    patience = {
        "targetRefs": [target],
        "connection": {"bufferLimit": LARGEST_BODY},
        # A request that waits for its turn yields nothing for a while.
        "timeout": {"http": {"streamIdleTimeout": "0s"}},
    }
    proxies = _proxies(replicas, grace_seconds, meshed)
    return (
        manifest(gateway_api.VERSION, "GatewayClass", NAME, spec=controller),
        manifest(VERSION, "EnvoyProxy", NAME, NAMESPACE, spec=proxies),
        manifest(VERSION, "ClientTrafficPolicy", NAME, NAMESPACE, spec=patience),
        manifest(
            gateway_api.VERSION,
            "Gateway",
            NAME,
            NAMESPACE,
            annotations=gateway_api.WAIT,
            spec={
                "gatewayClassName": NAME,
                "listeners": [listener],
                "infrastructure": {"parametersRef": parameters},
            },
        ),
    )


def _proxies(replicas: int, grace_seconds: int, meshed: Metadata) -> dict[str, Any]:
    pod: dict[str, Any] = {}
    if meshed.labels:
        pod["labels"] = meshed.labels
    if meshed.annotations:
        pod["annotations"] = meshed.annotations
    kubernetes = {
        "envoyServiceAccount": {"name": NAME},
        "envoyService": {"name": NAME, "type": "ClusterIP"},
        "envoyDeployment": {"replicas": replicas, "pod": pod},
        "envoyPDB": {"maxUnavailable": 1},
    }
    return {
        "shutdown": {"drainTimeout": f"{grace_seconds}s"},
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
    }
