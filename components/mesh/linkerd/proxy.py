"""What a user writes about the proxies, and the annotations that they know."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Cpu, LabelKey, Memory

PREFIX = "config.linkerd.io/"

OURS = frozenset(
    {
        "inject",
        "default-inbound-policy",
        "proxy-await",
        "proxy-cpu-request",
        "proxy-enable-native-sidecar",
        "proxy-memory-limit",
        "proxy-memory-request",
        "proxy-wait-before-exit-seconds",
        "shutdown-grace-period",
    }
)
"""Annotations that follow from other settings."""

PROXY_ANNOTATIONS = frozenset(
    {
        "access-log",
        "admin-port",
        "control-port",
        "default-inbound-policy",
        "enable-debug-sidecar",
        "enable-external-profiles",
        "image-pull-policy",
        "inbound-port",
        "opaque-ports",
        "outbound-port",
        "pod-inbound-ports",
        "proxy-additional-env",
        "proxy-admin-shutdown",
        "proxy-await",
        "proxy-cpu-limit",
        "proxy-cpu-request",
        "proxy-disable-inbound-protocol-detect-timeout",
        "proxy-disable-outbound-protocol-detect-timeout",
        "proxy-enable-native-sidecar",
        "proxy-ephemeral-storage-limit",
        "proxy-ephemeral-storage-request",
        "proxy-gid",
        "proxy-image",
        "proxy-inbound-connect-timeout",
        "proxy-inbound-discovery-cache-unused-timeout",
        "proxy-log-format",
        "proxy-log-http-headers",
        "proxy-log-level",
        "proxy-memory-limit",
        "proxy-memory-request",
        "proxy-metrics-hostname-labels",
        "proxy-outbound-connect-timeout",
        "proxy-outbound-discovery-cache-unused-timeout",
        "proxy-require-identity-inbound-ports",
        "proxy-uid",
        "proxy-version",
        "shutdown-grace-period",
        "skip-inbound-ports",
        "skip-outbound-ports",
        "skip-subnets",
    }
)
"""The annotations below config.linkerd.io/ that the injector of this release reads; any other does
nothing, without a word.

https://github.com/linkerd/linkerd2/blob/main/pkg/inject/inject.go
"""


class ProxySettings(Settings):
    """The proxy beside each model server."""

    cpu_request: Cpu = "10m"
    """For packed GPU nodes 5m."""
    memory_request: Memory = "20Mi"
    """For packed GPU nodes 10Mi."""
    memory_limit: Memory = "50Mi"
    native_sidecar: bool = True
    """Run the proxy as a Kubernetes sidecar container: it starts before, and stops after, the
    model. Off, the model's container is held until the proxy is ready."""
    annotations: dict[LabelKey, str] = Field(default_factory=dict)
    """Further annotations of the model's pods below config.linkerd.io/, for example
    config.linkerd.io/proxy-log-level. One that the proxy of this release does not know is
    refused, since it would do nothing."""

    def port_problems(self, port: int) -> Iterator[str]:
        """What annotations would do to a model's port."""
        for name in ("skip-inbound-ports", "opaque-ports"):
            if _lists(self.annotations.get(f"{PREFIX}{name}", ""), port):
                yield (
                    f"port {port} is in {PREFIX}{name} of mesh.proxy.annotations, so that Linkerd "
                    "would not see the model's requests; take it out there"
                )

    def problems(self) -> Iterator[Problem]:
        for key in self.annotations:
            name = key.removeprefix(PREFIX)
            if name == key or name not in PROXY_ANNOTATIONS:
                yield Problem(
                    ("annotations", key),
                    f"{key} is no annotation of today's proxy; expected one of "
                    f"{PREFIX}{', '.join(sorted(PROXY_ANNOTATIONS - OURS))}",
                )
            elif name in OURS:
                yield Problem(
                    ("annotations", key),
                    f"{key} follows from other settings; use mesh.proxy, adoption or gracePeriod",
                )


def _lists(ports: str, port: int) -> bool:
    """Whether a list such as `25,8000-8080` has the port."""
    bounds = [part.strip().split("-") for part in ports.split(",") if part.strip()]
    return any(
        len(ends) <= 2
        and all(end.isdecimal() for end in ends)
        and int(ends[0]) <= port <= int(ends[-1])
        for ends in bounds
    )
