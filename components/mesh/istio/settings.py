"""What a user writes about Istio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from components.mesh.settings import BaseMeshSettings
from components.model.settings import ModelSettings
from components.settings import Problem, Settings
from components.types import Count, Cpu, Hostname, Memory, Name, Release

SUPPORTED_KUBERNETES = {"1.30": (32, 36), "1.31": (32, 36)}
"""Minor versions of Kubernetes 1.x, first and last, that an Istio release is tested on.

https://istio.io/latest/docs/releases/supported-releases/
"""


LONGEST_REVISION = 46

PROXY_PORTS = frozenset({15000, 15001, 15002, 15004, 15006, 15008, 15020, 15021, 15053, 15090})
"""Ports that the proxy takes in every pod.

https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
"""


class ChartValues(Settings):
    """Helm values of your own, merged over those that the program sets."""

    base: dict[str, Any] = Field(default_factory=dict)
    istiod: dict[str, Any] = Field(default_factory=dict)
    cni: dict[str, Any] = Field(default_factory=dict)
    gateway: dict[str, Any] = Field(default_factory=dict)
    """Not in ambient mode, where istiod makes the gateway's pods."""
    ztunnel: dict[str, Any] = Field(default_factory=dict)
    """The proxy of every node, in ambient mode."""


class WaypointSettings(Settings):
    """The size of a namespace's waypoint, the proxy that routes and judges every call to its
    models in ambient mode."""

    cpu: Cpu = "250m"
    """Request; it may use more."""
    memory: Memory = "512Mi"
    """Request and limit."""
    max_replicas: Count = 5
    """Most that its autoscaler makes, from two on, at 80 % of its CPU; one without high
    availability."""


class IstioSettings(BaseMeshSettings):
    """Istio, with its proxies in the pods or beside them."""

    proxy_ports: ClassVar[frozenset[int]] = PROXY_PORTS
    default_prometheus: ClassVar[str] = "http://prometheus.istio-system.svc.cluster.local:9090"

    kind: Literal["istio"]
    version: Release = "1.31.1"
    """Version of the charts and images."""
    revision: Name | None = None
    """Revision of the control plane, for example 1-31-1 written v1-31-1. With one, namespaces are
    labelled istio.io/rev, so that an upgrade can run two control planes side by side."""
    high_availability: bool = True
    """Two replicas or more of istiod and the gateway, with disruption budgets."""
    data_plane: Literal["sidecar", "ambient"] = "sidecar"
    """sidecar: a proxy in every pod. ambient: none there, so that pods stay as they are; one on
    every node for encryption and identity, and a waypoint in every namespace of models for routes
    and rules. docs/meshes.md says what each can do."""
    cni: bool = False
    """Redirect traffic by a node agent instead of a privileged init container in every pod;
    namespaces then enforce the restricted pod security level. Ambient always does."""
    native_sidecars: bool = True
    """Sidecar mode. Run the proxy as a Kubernetes sidecar container: it starts before, and stops
    after, the model. Off, it is an ordinary container, and the model's is held until the proxy is
    ready."""
    waypoint: WaypointSettings = WaypointSettings()
    """Ambient mode."""
    gateway_api: bool = True
    """Ambient mode, and where an endpoint picker chooses pods. Install the Gateway API's
    definitions; false where the cluster has them, of release 1.5 or later, since only one may own
    them."""
    trust_domain: Hostname = "cluster.local"
    values: ChartValues = ChartValues()

    def problems(self) -> Iterator[Problem]:
        if self.minor not in SUPPORTED_KUBERNETES:
            yield Problem(
                ("version",),
                f"Istio {self.version} is not known here; expected a release of "
                f"{', '.join(sorted(SUPPORTED_KUBERNETES))}, for example 1.31.1",
            )

        if self.revision and len(self.revision) > LONGEST_REVISION:
            yield Problem(
                ("revision",),
                f"expected at most {LONGEST_REVISION} characters, since Helm limits the name of "
                f"release istiod-{self.revision} to 53",
            )
        yield from self._mode_problems()
        for key in ("name", "labels", "serviceAccount", "revision"):
            if key in self.values.gateway:
                yield Problem(
                    ("values", "gateway", key),
                    "the gateway's selector and identity are derived from the release; remove it",
                )

    def model_problems(self, model: ModelSettings) -> Iterator[Problem]:
        yield from super().model_problems(model)
        mirror = model.traffic.mirror
        if self.data_plane == "ambient" and model.progressive and mirror and mirror.percent < 100:
            yield Problem(
                ("traffic", "mirror", "percent"),
                "in ambient mode Flagger writes the route of a progressive model, and mirrors all "
                "requests or none; use 100, remove progressive, or use mesh.dataPlane: sidecar",
            )

    def _mode_problems(self) -> Iterator[Problem]:
        """Settings that the other mode alone would heed."""
        ambient = self.data_plane == "ambient"
        idle = ("cni", "native_sidecars") if ambient else ("waypoint",)
        for field in idle:
            if field in self.model_fields_set:
                yield Problem(
                    (to_camel(field),),
                    f"dataPlane {self.data_plane} does not heed this; remove it",
                )
        chart = "gateway" if ambient else "ztunnel"
        if getattr(self.values, chart):
            yield Problem(
                ("values", chart), f"dataPlane {self.data_plane} has no such chart; remove it"
            )

    @property
    def minor(self) -> str:
        return self.version.rsplit(".", 1)[0]
