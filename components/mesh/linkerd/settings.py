"""What a user writes about Linkerd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from components.mesh.linkerd.gateway_class import EnvoyGatewayClass, GatewayClass
from components.mesh.linkerd.identity import CertManagerIdentity, Identity
from components.mesh.linkerd.proxy import ProxySettings
from components.mesh.settings import BaseMeshSettings
from components.model.settings import ModelSettings
from components.settings import Problem, Settings
from components.types import Duration, Hostname, Name, Principal, Release, seconds

SUPPORTED_KUBERNETES = {"2026.9": (31, 36)}
"""Minor versions of Kubernetes 1.x, first and last, of an edge release: the least that it asks for,
and the newest that its own tests run on.

https://github.com/linkerd/linkerd2/blob/main/pkg/k8s/api.go
"""

PROXY_PORTS = frozenset({4140, 4143, 4190, 4191})
"""Outbound, inbound, control and admin port of the proxy.

https://github.com/linkerd/linkerd2/blob/main/charts/linkerd-control-plane/values.yaml
"""


class VizSettings(Settings):
    """Linkerd's metrics: the viz extension with its own Prometheus, or with one of yours."""

    retention: Duration = "6h"
    """How long the extension's Prometheus keeps what it has; it is lost with the pod either way."""
    prometheus: str | None = None
    """URL of a Prometheus that scrapes the proxies already; the extension then brings none."""
    readers: tuple[Principal, ...] = ()
    """Who else may query the extension's Prometheus, in the mesh: Grafana, and KEDA for the signal
    queue-depth, for example cluster.local/ns/keda/sa/keda-operator."""

    def problems(self) -> Iterator[Problem]:
        if self.prometheus is not None and not self.prometheus.startswith(("http://", "https://")):
            yield Problem(
                ("prometheus",),
                f"{self.prometheus} is no URL; expected for example "
                "http://prometheus.monitoring.svc.cluster.local:9090",
            )
        if seconds(self.retention) < 60:
            yield Problem(("retention",), f"{self.retention} is below 1m, a few scrapes")


class ChartValues(Settings):
    """Helm values of your own, merged over those that the program sets."""

    crds: dict[str, Any] = Field(default_factory=dict)
    control_plane: dict[str, Any] = Field(default_factory=dict)
    viz: dict[str, Any] = Field(default_factory=dict)
    gateway: dict[str, Any] = Field(default_factory=dict)


class LinkerdSettings(BaseMeshSettings):
    """Linkerd, of its edge channel: the only one with open releases."""

    proxy_ports: ClassVar[frozenset[int]] = PROXY_PORTS
    default_prometheus: ClassVar[str] = "http://prometheus.linkerd-viz.svc.cluster.local:9090"

    kind: Literal["linkerd"]
    version: Release = "2026.9.1"
    """Version of the charts: 2026.9.1 is edge-26.9.1."""
    identity: Identity = Field(default=CertManagerIdentity(), discriminator="source")
    high_availability: bool = True
    """Three replicas of the control plane and two of the gateway, on nodes of their own, with
    disruption budgets."""
    proxy: ProxySettings = ProxySettings()
    viz: VizSettings | None = VizSettings()
    """null installs no metrics; the proxies' port 4191 has them for a Prometheus of yours."""
    gateway: EnvoyGatewayClass | GatewayClass = Field(
        default=EnvoyGatewayClass(), discriminator="kind"
    )
    """What serves the stack's gateway, since Linkerd has none of its own."""
    trust_domain: Hostname = "cluster.local"
    trace_collector: Name | None = None
    """ServiceAccount of the trace collector, which has to be meshed: the proxies send it their
    spans by its identity. Without it the proxies pass the trace context on and send nothing."""
    values: ChartValues = ChartValues()

    def problems(self) -> Iterator[Problem]:
        if self.minor not in SUPPORTED_KUBERNETES:
            yield Problem(
                ("version",),
                f"Linkerd {self.version} is not known here; expected an edge release of "
                f"{', '.join(sorted(SUPPORTED_KUBERNETES))}, for example 2026.9.1",
            )
        for key in ("identity", "identityTrustAnchorsPEM", "identityTrustDomain"):
            if key in self.values.control_plane:
                yield Problem(
                    ("values", "controlPlane", key),
                    "who is trusted follows from mesh.identity and mesh.trustDomain; remove it",
                )

    def model_problems(self, model: ModelSettings) -> Iterator[Problem]:
        yield from super().model_problems(model)
        if model.progressive and model.traffic.fault:
            yield Problem(
                ("traffic", "fault"),
                "on Linkerd errors are a backend of the route, and with progressive Flagger has "
                "the route and no place for them; remove fault, or progressive for the test",
            )
        for reason in self.proxy.port_problems(model.runtime.port):
            yield Problem(("runtime", "port"), reason)
        if model.route:
            yield from _path_problems(("route", "paths"), model.route.paths or ())
        for number, caller in enumerate(model.callers):
            yield from _path_problems(("callers", str(number), "paths"), caller.paths)

    @property
    def minor(self) -> str:
        return self.version.rsplit(".", 1)[0]


def _path_problems(key: tuple[str, ...], paths: tuple[str, ...]) -> Iterator[Problem]:
    for path in paths:
        if path.endswith("*") and not path.endswith("/*"):
            yield Problem(
                key, f"Linkerd compares whole segments, which {path} is not; use {path[:-1]}/*"
            )
