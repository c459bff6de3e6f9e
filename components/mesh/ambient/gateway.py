"""Ambient's ingress gateway: a Gateway object, whose pods and Service istiod makes."""

from __future__ import annotations

from components.kubernetes import Manifest
from components.mesh import gateway_api
from components.mesh.ambient import proxies
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Ingress

NAMESPACE = "istio-ingress"
NAME = "inference"
"""Name of the Gateway object."""

CLASS = "istio"

ACCOUNT = f"{NAME}-{CLASS}"
"""Service account of the pods, and name of the Deployment and the Service that istiod makes."""

LISTENER = gateway_api.reference(NAME, NAMESPACE, "https")
"""How routes name the gateway."""


def principal(settings: IstioSettings) -> str:
    return f"{settings.trust_domain}/ns/{NAMESPACE}/sa/{ACCOUNT}"


def deployment(settings: IstioSettings, ingress: Ingress) -> Manifest:
    """How the pods and the Service differ from what istiod would make by itself."""
    annotations = ingress.service_annotations
    service = {"metadata": {"annotations": annotations}} if annotations else None
    return proxies.parameters(settings, NAME, NAMESPACE, ingress.grace_seconds, service=service)


def listeners(settings: IstioSettings, ingress: Ingress) -> tuple[Manifest, Manifest]:
    return gateway_api.gateway(
        NAME,
        NAMESPACE,
        CLASS,
        ingress.tls_secret,
        labels=proxies.labels(settings),
        infrastructure=proxies.infrastructure(NAME),
    )
