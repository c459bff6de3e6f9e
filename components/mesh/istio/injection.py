"""How namespaces and pods join Istio: the sidecar, and its order with the model's container."""

from __future__ import annotations

import json

from components.adoption import Adoption
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Metadata, PodSecurityLevel


def namespace_metadata(settings: IstioSettings, adoption: Adoption) -> Metadata:
    """By revision where there is one: the two labels exclude each other.

    https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
    """
    if adoption == "unmeshed":
        return Metadata()
    if settings.revision:
        return Metadata({"istio.io/rev": settings.revision})
    return Metadata({"istio-injection": "enabled"})


def pod_security(settings: IstioSettings, adoption: Adoption) -> PodSecurityLevel:
    """The init container that redirects traffic needs NET_ADMIN and root; the node agent does it
    without (https://istio.io/latest/docs/setup/additional-setup/pod-security-admission/)."""
    return "restricted" if settings.cni or adoption == "unmeshed" else "privileged"


def pod_metadata(settings: IstioSettings, adoption: Adoption) -> Metadata:
    """The proxy is ready before the model's first call out, and drains after its last answer.

    As a native sidecar by Kubernetes' own order. As an ordinary container the model is held until
    the proxy is ready, and the proxy stays until its last connection has ended.
    """
    if adoption == "unmeshed":
        return Metadata({"sidecar.istio.io/inject": "false"})
    # Pods say their revision too: a change of it has to replace them, since their proxies stay
    # with the control plane that they began with.
    labels = {"istio.io/rev": settings.revision} if settings.revision else {}
    if settings.native_sidecars:
        return Metadata(labels, {"sidecar.istio.io/nativeSidecar": "true"})
    config = {
        "holdApplicationUntilProxyStarts": True,
        "proxyMetadata": {
            "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true",
            "MINIMUM_DRAIN_DURATION": "15s",
        },
    }
    return Metadata(
        labels,
        {
            "sidecar.istio.io/nativeSidecar": "false",
            "proxy.istio.io/config": json.dumps(config, sort_keys=True),
        },
    )
