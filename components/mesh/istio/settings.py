"""What a user writes about Istio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Hostname, Name, Release

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


class IstioSettings(Settings):
    """Istio in sidecar mode."""

    proxy_ports: ClassVar[frozenset[int]] = PROXY_PORTS
    """Ports that no server in a meshed pod can have."""
    default_prometheus: ClassVar[str] = "http://prometheus.istio-system.svc.cluster.local:9090"
    """Where the mesh's own documentation installs Prometheus."""

    kind: Literal["istio"]
    version: Release = "1.31.1"
    """Version of the charts and images."""
    revision: Name | None = None
    """Revision of the control plane, for example 1-31-1 written v1-31-1. With one, namespaces are
    labelled istio.io/rev, so that an upgrade can run two control planes side by side."""
    high_availability: bool = True
    """Two replicas or more of istiod and the gateway, with disruption budgets."""
    cni: bool = False
    """Redirect traffic by a node agent instead of a privileged init container in every pod;
    namespaces then enforce the restricted pod security level."""
    native_sidecars: bool = True
    """Run the proxy as a Kubernetes sidecar container: it starts before, and stops after, the
    model. Off, it is an ordinary container, and the model's is held until the proxy is ready."""
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
        for key in ("name", "labels", "serviceAccount", "revision"):
            if key in self.values.gateway:
                yield Problem(
                    ("values", "gateway", key),
                    "the gateway's selector and identity are derived from the release; remove it",
                )

    @property
    def minor(self) -> str:
        return self.version.rsplit(".", 1)[0]
