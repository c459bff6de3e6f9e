"""What a mesh is to the rest of the program: the verbs in which meshes differ.

Each verb is pure: settings in, charts or manifests out. Components turn them into resources, so
that a mesh is added by a folder with the same file names inside, and tested without Pulumi.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pulumi

from components.adoption import Adoption
from components.chart import Chart, Part
from components.kubernetes import Manifest
from components.model.model import Model

PodSecurityLevel = Literal["privileged", "baseline", "restricted"]
"""https://kubernetes.io/docs/concepts/security/pod-security-standards/"""


@dataclass(frozen=True)
class Ingress:
    """What a mesh's gateway has to offer to the outside."""

    hosts: tuple[str, ...]
    tls_secret: str
    """Name of the certificate's Secret, in the gateway's namespace."""
    grace_seconds: int
    """Time for running responses to end when a gateway pod stops."""
    service_annotations: dict[str, str] = field(default_factory=dict)
    open_hosts: tuple[str, ...] = ()
    """Those of `hosts` that no model takes whole: a path that is no model's is answered 404."""
    model_hosts: tuple[str, ...] = ()
    """Those of `hosts` where the body of a request says which model it is for."""
    picked_hosts: tuple[str, ...] = ()
    """Those of `hosts` where an endpoint picker chooses the pod of every request."""
    traces_sampling_percent: float = 0
    """Share of the requests that are traced from here on."""


@dataclass(frozen=True)
class Metadata:
    """Labels and annotations by which a mesh takes a namespace or a pod in."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """How Flagger shifts a model's requests in a mesh, and how the mesh counts their success."""

    provider: str
    """Flagger's name for the kind of routes."""
    success_rate: str
    """PromQL for the percentage of requests to the new version that were not answered 5xx; Flagger
    puts the interval in the place of `{{ interval }}`."""
    service: dict[str, Any] = field(default_factory=dict)
    """What the Canary says of the routes beyond names and ports."""


@dataclass(frozen=True)
class Deliverer:
    """How Flagger itself gets to the metrics of a mesh."""

    namespace: Metadata = field(default_factory=Metadata)
    """What its namespace carries."""
    values: dict[str, Any] = field(default_factory=dict)
    """Helm values of its chart."""


@dataclass(frozen=True)
class Metering:
    """How the proxies that count tokens stand in the mesh."""

    proxies: Metadata = field(default_factory=Metadata)
    """What their pods carry."""
    policies: tuple[Manifest, ...] = ()
    """Who may call them."""


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

    def system_namespace_metadata(self) -> Metadata:
        """What the control plane's namespace carries."""

    def prepare(self, opts: pulumi.ResourceOptions) -> Mesh:
        """The mesh with what it needs Pulumi for, such as certificates that Pulumi makes; the only
        verb that may create resources, by these options. Itself where there is nothing."""

    def install(self) -> tuple[Part, ...]:
        """The control plane's charts, and objects between them; each needs those before it."""

    def observe(self, sampling_percent: float) -> tuple[Manifest, ...]:
        """Mesh-wide telemetry."""

    def namespace_metadata(self, adoption: Adoption) -> Metadata:
        """What a namespace of models carries."""

    def pod_security(self, adoption: Adoption) -> PodSecurityLevel:
        """The strictest level that a model's pod with what the mesh adds to it meets."""

    def secure(
        self, namespace: str, adoption: Adoption, grace_seconds: int
    ) -> tuple[Manifest, ...]:
        """Encryption and default deny for a namespace, with the proxies that it needs of its own;
        `grace_seconds` is the longest that a model there takes to stop."""

    def inject(self, model: Model) -> Metadata:
        """How a model's pods join the mesh, or stay out of it."""

    def service_metadata(self, model: Model) -> Metadata:
        """What the model's Service carries: how callers' proxies treat its pods."""

    def authorize(self, model: Model, has_gateway: bool) -> tuple[Manifest, ...]:
        """Who may call the model: its callers, and the gateway where there is one."""

    def deliver(self, model: Model) -> Delivery:
        """How a model is released step by step, where `route` leaves the weights to Flagger."""

    def deliverer(self) -> Deliverer:
        """How Flagger gets to the metrics by which it judges."""

    def meter(self) -> Metering:
        """How the AI gateway's proxies join, between the gateway and models with a token budget."""

    def route(self, model: Model, gateway_host: str | None) -> tuple[Chart | Manifest, ...]:
        """Calls to the model, from inside and through the gateway: weights, timeouts, retries, and
        the charts of what has a say in it."""

    def gateway(self, ingress: Ingress) -> tuple[Part, ...]:
        """What runs the gateway's pods; empty where the control plane makes them from what
        `expose` says."""

    def gateway_namespace_metadata(self) -> Metadata:
        """What the gateway's namespace carries."""

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        """What the gateway listens on."""
