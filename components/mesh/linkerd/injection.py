"""How namespaces and pods join Linkerd: the proxy, its resources, and its order with the model.

Linkerd reads annotations; a label does nothing (https://linkerd.io/2-edge/features/proxy-injection/).
"""

from __future__ import annotations

from components.adoption import Adoption
from components.mesh.linkerd.proxy import PREFIX
from components.mesh.linkerd.settings import LinkerdSettings
from components.mesh.protocol import Metadata, PodSecurityLevel
from components.model.lifecycle import PRE_STOP_SECONDS
from components.model.model import Model

INJECT = "linkerd.io/inject"

CLOSED = {f"{PREFIX}default-inbound-policy": "deny"}
"""For ports that no Server is for, permissive or strict: the proxy reads it once, when its pod is
made, and going strict should replace no pod. A model's own port has a Server.

https://linkerd.io/2-edge/reference/authorization-policy/#default-policies
"""


PRIVILEGED = {"pod-security.kubernetes.io/enforce": "privileged"}
"""Label of namespaces with meshed pods: the init container that redirects traffic has NET_ADMIN and
NET_RAW."""


def namespace_metadata(adoption: Adoption) -> Metadata:
    if adoption == "unmeshed":
        return Metadata()
    return Metadata(annotations={INJECT: "enabled"} | CLOSED)


def pod_security(adoption: Adoption) -> PodSecurityLevel:
    return "restricted" if adoption == "unmeshed" else "privileged"


def pod_metadata(settings: LinkerdSettings, model: Model) -> Metadata:
    """The proxy is ready before the model's first call out, and drains after its last answer.

    As a native sidecar by Kubernetes' own order. As an ordinary container the model is held until
    the proxy is ready, and the proxy stays while the model still takes requests.
    """
    if model.adoption == "unmeshed":
        return Metadata(annotations={INJECT: "disabled"})
    proxy = settings.proxy
    annotations = {
        INJECT: "enabled",
        **CLOSED,
        f"{PREFIX}proxy-cpu-request": proxy.cpu_request,
        f"{PREFIX}proxy-memory-request": proxy.memory_request,
        f"{PREFIX}proxy-memory-limit": proxy.memory_limit,
        f"{PREFIX}proxy-enable-native-sidecar": str(proxy.native_sidecar).lower(),
        # Streams that run when the pod stops end with the model, never before by the proxy's own
        # limit of 2 minutes.
        f"{PREFIX}shutdown-grace-period": f"{model.grace_seconds}s",
    }
    if not proxy.native_sidecar:
        annotations |= {
            f"{PREFIX}proxy-await": "enabled",
            "config.alpha.linkerd.io/proxy-wait-before-exit-seconds": str(PRE_STOP_SECONDS),
        }
    return Metadata(annotations=annotations | proxy.annotations)
