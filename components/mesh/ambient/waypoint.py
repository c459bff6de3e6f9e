"""The waypoint: the proxy of a namespace, where its routes and its rules by path take effect."""

from __future__ import annotations

from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.ambient import proxies
from components.mesh.istio.settings import IstioSettings

NAME = "waypoint"

CLASS = "istio-waypoint"


def principal(settings: IstioSettings, namespace: str) -> str:
    """Its identity: istiod names the service account after the Gateway."""
    return f"{settings.trust_domain}/ns/{namespace}/sa/{NAME}"


def waypoint(
    settings: IstioSettings, namespace: str, grace_seconds: int
) -> tuple[Manifest, Manifest]:
    """For calls to Services and to pods alike, so that no address goes past its rules."""
    size = settings.waypoint
    resources = {
        "requests": {"cpu": size.cpu, "memory": size.memory},
        "limits": {"memory": size.memory},
    }
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    return (
        proxies.parameters(
            settings,
            NAME,
            namespace,
            grace_seconds,
            max_replicas=size.max_replicas,
            resources=resources,
        ),
        manifest(
            gateway_api.VERSION,
            "Gateway",
            NAME,
            namespace,
            labels={"istio.io/waypoint-for": "all"} | proxies.labels(settings),
            annotations=gateway_api.WAIT,
            spec={
                "gatewayClassName": CLASS,
                "infrastructure": proxies.infrastructure(NAME),
                "listeners": [listener],
            },
        ),
    )
