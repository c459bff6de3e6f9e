"""Istio in ambient mode, as a mesh: no proxy in the pods, one on every node and one a namespace."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.adoption import Adoption
from components.chart import Part
from components.kubernetes import Manifest
from components.mesh.ambient import control_plane, delivery, gateway, injection, security, traffic
from components.mesh.istio.control_plane import NAMESPACE, kubernetes_problem, telemetry
from components.mesh.istio.settings import IstioSettings
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
class Ambient:
    """The verbs of `components.mesh.protocol.Mesh` in terms of Istio's ambient mode."""

    settings: IstioSettings
    traces_endpoint: str | None = None

    system_namespace = NAMESPACE
    gateway_namespace = gateway.NAMESPACE

    def kubernetes_problem(self, version: str) -> str | None:
        return kubernetes_problem(self.settings, version)

    def system_namespace_metadata(self) -> Metadata:
        return Metadata()

    def prepare(self, _opts: pulumi.ResourceOptions) -> Ambient:
        return self

    def install(self) -> tuple[Part, ...]:
        return control_plane.parts(self.settings, self.traces_endpoint)

    def observe(self, sampling_percent: float) -> tuple[Manifest, ...]:
        return telemetry(self.traces_endpoint, sampling_percent)

    def namespace_metadata(self, adoption: Adoption) -> Metadata:
        return injection.namespace_metadata(adoption)

    def pod_security(self, _adoption: Adoption) -> PodSecurityLevel:
        return "restricted"

    def secure(
        self, namespace: str, adoption: Adoption, grace_seconds: int
    ) -> tuple[Manifest, ...]:
        return security.namespace_policies(self.settings, namespace, adoption, grace_seconds)

    def inject(self, _model: Model) -> Metadata:
        return Metadata()

    def service_metadata(self, _model: Model) -> Metadata:
        return Metadata()

    def authorize(self, model: Model, has_gateway: bool) -> tuple[Manifest, ...]:
        return security.model_policies(self.settings, model, has_gateway)

    def deliver(self, model: Model) -> Delivery:
        return delivery.delivery(model)

    def meter(self) -> Metering:
        return Metering()

    def deliverer(self) -> Deliverer:
        return Deliverer()

    def route(self, model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
        return traffic.objects(model, gateway_host)

    def gateway(self, ingress: Ingress) -> tuple[Manifest, ...]:
        return (gateway.deployment(self.settings, ingress),)

    def gateway_namespace_metadata(self) -> Metadata:
        return Metadata()

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        return gateway.listeners(self.settings, ingress)
