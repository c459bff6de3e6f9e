"""Linkerd, as a mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi

from components.adoption import Adoption
from components.chart import Part
from components.kubernetes import Manifest
from components.mesh.linkerd import (
    certificate_authority,
    control_plane,
    delivery,
    gateway,
    injection,
    issuer,
    security,
    traffic,
)
from components.mesh.linkerd.identity import ProvidedIdentity, PulumiIdentity
from components.mesh.linkerd.settings import LinkerdSettings
from components.mesh.protocol import (
    Deliverer,
    Delivery,
    Ingress,
    Metadata,
    Metering,
    PodSecurityLevel,
)
from components.model.model import Model


@dataclass(frozen=True)
class Linkerd:
    """The verbs of `components.mesh.protocol.Mesh` in Linkerd's terms."""

    settings: LinkerdSettings
    traces_endpoint: str | None = None
    credentials: issuer.Credentials | None = None
    """None where cert-manager has them, and before `prepare`."""

    system_namespace = issuer.NAMESPACE

    @property
    def gateway_namespace(self) -> str:
        return gateway.namespace(self.settings)

    def kubernetes_problem(self, version: str) -> str | None:
        return control_plane.kubernetes_problem(self.settings, version)

    def prepare(self, opts: pulumi.ResourceOptions) -> Linkerd:
        identity = self.settings.identity
        if isinstance(identity, ProvidedIdentity):
            for line in identity.warnings():
                pulumi.log.warn(line)
            return replace(self, credentials=issuer.provided(identity))
        if isinstance(identity, PulumiIdentity):
            made = certificate_authority.credentials(identity, self.settings.trust_domain, opts)
            return replace(self, credentials=made)
        return self

    def system_namespace_metadata(self) -> Metadata:
        return control_plane.namespace_metadata()

    def install(self) -> tuple[Part, ...]:
        return control_plane.parts(self.settings, self.credentials, self.traces_endpoint)

    def observe(self, _sampling_percent: float) -> tuple[Manifest, ...]:
        return ()

    def namespace_metadata(self, adoption: Adoption) -> Metadata:
        return injection.namespace_metadata(adoption)

    def pod_security(self, adoption: Adoption) -> PodSecurityLevel:
        return injection.pod_security(adoption)

    def secure(
        self, _namespace: str, _adoption: Adoption, _grace_seconds: int
    ) -> tuple[Manifest, ...]:
        """Nothing: the namespace's own annotation denies what no policy admits."""
        return ()

    def inject(self, model: Model) -> Metadata:
        return injection.pod_metadata(self.settings, model)

    def service_metadata(self, model: Model) -> Metadata:
        return Metadata(annotations=traffic.service_annotations(model))

    def authorize(self, model: Model, has_gateway: bool) -> tuple[Manifest, ...]:
        return security.model_policies(self.settings, model, has_gateway)

    def deliver(self, model: Model) -> Delivery:
        return delivery.delivery(model)

    def meter(self) -> Metering:
        return Metering()

    def deliverer(self) -> Deliverer:
        return delivery.deliverer(self.settings)

    def route(self, model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
        return traffic.routes(self.settings, model, gateway_host)

    def gateway(self, _ingress: Ingress) -> tuple[Part, ...]:
        return gateway.parts(self.settings)

    def gateway_namespace_metadata(self) -> Metadata:
        return gateway.namespace_metadata(self.settings)

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        return gateway.listeners(self.settings, ingress, self.traces_endpoint)
