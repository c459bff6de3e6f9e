"""What a mesh is to the rest of the program: the verbs in which meshes differ.

Each verb is pure: settings in, charts or manifests out. Components turn them into resources, so
that a mesh is added by a folder with the same file names inside, and tested without Pulumi.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from components.chart import Chart
from components.kubernetes import Manifest
from components.model.model import Model

PodSecurityLevel = Literal["privileged", "baseline", "restricted"]
"""https://kubernetes.io/docs/concepts/security/pod-security-standards/"""

MtlsMode = Literal["strict", "permissive"]


@dataclass(frozen=True)
class Ingress:
    """What a mesh's gateway has to offer to the outside."""

    hosts: tuple[str, ...]
    tls_secret: str
    """Name of the certificate's Secret, in the gateway's namespace."""
    grace_seconds: int
    """Time for running responses to end when a gateway pod stops."""
    service_annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PodMetadata:
    """Labels and annotations by which a mesh takes a pod in."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class Mesh(Protocol):
    """One service mesh, configured."""

    @property
    def system_namespace(self) -> str:
        """Where the control plane runs."""

    @property
    def gateway_namespace(self) -> str:
        """Where the gateway runs, and its certificate's Secret."""

    def kubernetes_problem(self, version: str) -> str | None:
        """Why this mesh does not run on this Kubernetes minor version, or None."""

    def install(self) -> tuple[Chart, ...]:
        """The control plane's charts; each needs those before it."""

    def observe(self, sampling_percent: float) -> tuple[Manifest, ...]:
        """Mesh-wide telemetry."""

    def namespace_labels(self) -> dict[str, str]:
        """Labels of a namespace whose pods are meshed."""

    def pod_security(self) -> PodSecurityLevel:
        """The strictest level that a meshed pod itself meets."""

    def secure(self, namespace: str, mtls: MtlsMode) -> tuple[Manifest, ...]:
        """Encryption and default deny for a namespace."""

    def inject(self, model: Model) -> PodMetadata:
        """How a model's pods join the mesh."""

    def authorize(self, model: Model, has_gateway: bool, mtls: MtlsMode) -> tuple[Manifest, ...]:
        """Who may call the model: its callers, and the gateway where there is one."""

    def route(self, model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
        """Calls to the model, from inside and through the gateway: weights, timeouts, retries."""

    def gateway(self, ingress: Ingress) -> Chart:
        """The gateway's chart."""

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        """What the gateway listens on."""
