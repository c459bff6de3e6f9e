"""The AI gateway's proxies in Istio: their sidecars, and who may call them."""

from __future__ import annotations

from components.ai_gateway import names
from components.kubernetes import manifest
from components.mesh.istio import gateway, injection
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Metadata, Metering


def principal(settings: IstioSettings) -> str:
    return f"{settings.trust_domain}/ns/{names.NAMESPACE}/sa/{names.NAME}"


def metering(settings: IstioSettings) -> Metering:
    """Sidecars by the pods' own label, since the controllers beside them stay out of the mesh.

    What speaks TLS of its own passes the sidecar by, which would take it for plain HTTP/2 by the
    names of the ports.
    """
    meshed = injection.pod_metadata(settings, "strict")
    past = ",".join(map(str, names.CONTROL_PORTS))
    proxies = Metadata(
        meshed.labels | {"sidecar.istio.io/inject": "true"},
        meshed.annotations | {"traffic.sidecar.istio.io/excludeOutboundPorts": past},
    )
    # Plain text has no principal, and is denied with all others. Other ports are those of probes.
    anybody_else = {"source": {"notPrincipals": [gateway.principal(settings)]}}
    denied = {
        "from": [anybody_else],
        "to": [{"operation": {"ports": [str(names.PORT)]}}],
    }
    policy = manifest(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        "gateway-only",
        names.NAMESPACE,
        spec={
            "selector": {"matchLabels": names.PROXY_LABELS},
            "action": "DENY",
            "rules": [denied],
        },
    )
    return Metering(proxies, (policy,))
