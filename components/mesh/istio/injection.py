"""How namespaces and pods join Istio: the sidecar, and its order with the model's container."""

from __future__ import annotations

import json

from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import PodMetadata, PodSecurityLevel


def namespace_labels(settings: IstioSettings) -> dict[str, str]:
    """By revision where there is one: the two labels exclude each other.

    https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
    """
    if settings.revision:
        return {"istio.io/rev": settings.revision}
    return {"istio-injection": "enabled"}


def pod_security(settings: IstioSettings) -> PodSecurityLevel:
    """The init container that redirects traffic needs NET_ADMIN and root; the node agent does it
    without (https://istio.io/latest/docs/setup/additional-setup/pod-security-admission/)."""
    return "restricted" if settings.cni else "privileged"


def pod_metadata(settings: IstioSettings) -> PodMetadata:
    """The proxy is ready before the model's first call out, and drains after its last answer.

    As a native sidecar by Kubernetes' own order. As an ordinary container the model is held until
    the proxy is ready, and the proxy stays until its last connection has ended.
    """
    # Pods say their revision too: a change of it has to replace them, since their proxies stay
    # with the control plane that they began with.
    labels = {"istio.io/rev": settings.revision} if settings.revision else {}
    if settings.native_sidecars:
        return PodMetadata(labels, {"sidecar.istio.io/nativeSidecar": "true"})
    config = {
        "holdApplicationUntilProxyStarts": True,
        "proxyMetadata": {
            "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true",
            "MINIMUM_DRAIN_DURATION": "15s",
        },
    }
    return PodMetadata(
        labels,
        {
            "sidecar.istio.io/nativeSidecar": "false",
            "proxy.istio.io/config": json.dumps(config, sort_keys=True),
        },
    )
