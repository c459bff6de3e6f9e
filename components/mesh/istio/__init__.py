"""Istio in sidecar mode, as a mesh."""

from __future__ import annotations

from dataclasses import dataclass

from components.chart import Chart
from components.kubernetes import Manifest
from components.mesh.istio import (
    control_plane,
    destination,
    gateway,
    injection,
    security,
    traffic,
)
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Ingress, MtlsMode, PodMetadata, PodSecurityLevel
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

    def install(self) -> tuple[Chart, ...]:
        return control_plane.charts(self.settings, self.traces_endpoint)

    def observe(self, sampling_percent: float) -> tuple[Manifest, ...]:
        return control_plane.telemetry(self.traces_endpoint, sampling_percent)

    def namespace_labels(self) -> dict[str, str]:
        return injection.namespace_labels(self.settings)

    def pod_security(self) -> PodSecurityLevel:
        return injection.pod_security(self.settings)

    def secure(self, namespace: str, mtls: MtlsMode) -> tuple[Manifest, ...]:
        return security.namespace_policies(namespace, mtls)

    def inject(self, _model: Model) -> PodMetadata:
        return injection.pod_metadata(self.settings)

    def authorize(self, model: Model, has_gateway: bool, mtls: MtlsMode) -> tuple[Manifest, ...]:
        return (security.model_policy(self.settings, model, has_gateway, mtls),)

    def route(self, model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
        return (
            destination.destination_rule(model),
            *traffic.virtual_services(model, gateway_host),
        )

    def gateway(self, ingress: Ingress) -> Chart:
        return gateway.chart(self.settings, ingress)

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        return gateway.listeners(ingress)
