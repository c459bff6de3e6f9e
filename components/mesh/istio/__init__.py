"""Istio in sidecar mode, as a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.adoption import Adoption
from components.chart import Chart
from components.kubernetes import Manifest
from components.mesh.istio import (
    control_plane,
    delivery,
    destination,
    gateway,
    injection,
    security,
    traffic,
)
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Delivery, Ingress, Metadata, PodSecurityLevel
from components.model.model import Model


@dataclass(frozen=True)
class Istio:
    """The verbs of `components.mesh.protocol.Mesh` in Istio's terms."""

    settings: IstioSettings
    traces_endpoint: str | None = None

    system_namespace = control_plane.NAMESPACE
    gateway_namespace = gateway.NAMESPACE

    def kubernetes_problem(self, version: str) -> str | None:
        return control_plane.kubernetes_problem(self.settings, version)

    def system_namespace_metadata(self) -> Metadata:
        return Metadata()

    def prepare(self, _opts: pulumi.ResourceOptions) -> Istio:
        return self

    def install(self) -> tuple[Chart, ...]:
        return control_plane.charts(self.settings, self.traces_endpoint)

    def observe(self, sampling_percent: float) -> tuple[Manifest, ...]:
        return control_plane.telemetry(self.traces_endpoint, sampling_percent)

    def namespace_metadata(self, adoption: Adoption) -> Metadata:
        return injection.namespace_metadata(self.settings, adoption)

    def pod_security(self, adoption: Adoption) -> PodSecurityLevel:
        return injection.pod_security(self.settings, adoption)

    def secure(
        self, namespace: str, adoption: Adoption, _grace_seconds: int
    ) -> tuple[Manifest, ...]:
        return security.namespace_policies(namespace, adoption)

    def inject(self, model: Model) -> Metadata:
        return injection.pod_metadata(self.settings, model.adoption)

    def service_metadata(self, _model: Model) -> Metadata:
        return Metadata()

    def authorize(self, model: Model, has_gateway: bool) -> tuple[Manifest, ...]:
        return security.model_policies(self.settings, model, has_gateway)

    def deliver(self, model: Model) -> Delivery:
        return delivery.delivery(model)

    def route(self, model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
        return (
            *destination.destination_rules(model),
            *traffic.virtual_services(model, gateway_host),
        )

    def gateway(self, ingress: Ingress) -> tuple[Chart, ...]:
        return (gateway.chart(self.settings, ingress),)

    def gateway_namespace_metadata(self) -> Metadata:
        return Metadata()

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        return gateway.listeners(ingress)
