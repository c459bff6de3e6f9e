"""Istio in sidecar mode, as a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.adoption import Adoption
from components.chart import Chart, Part
from components.kubernetes import Manifest
from components.mesh import gateway_api
from components.mesh.istio import (
    control_plane,
    delivery,
    destination,
    endpoint_picker,
    gateway,
    injection,
    limits,
    metering,
    model_router,
    security,
    traffic,
)
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
class Istio:
    """The verbs of `components.mesh.protocol.Mesh` in Istio's terms."""

    settings: IstioSettings
    traces_endpoint: str | None = None
    endpoint_pickers: bool = False
    """Whether the pods of a model are chosen by one."""
    token_budgets: bool = False
    """Whether the callers of a model have one."""

    system_namespace = control_plane.NAMESPACE
    gateway_namespace = gateway.NAMESPACE

    def kubernetes_problem(self, version: str) -> str | None:
        return control_plane.kubernetes_problem(self.settings, version)

    def system_namespace_metadata(self) -> Metadata:
        return Metadata()

    def prepare(self, _opts: pulumi.ResourceOptions) -> Istio:
        return self

    def install(self) -> tuple[Part, ...]:
        if self.endpoint_pickers:
            values = endpoint_picker.ISTIOD_VALUES
            charts = control_plane.charts(self.settings, self.traces_endpoint, values)
            return endpoint_picker.definitions(self.settings), *charts
        charts = control_plane.charts(self.settings, self.traces_endpoint)
        if self.token_budgets and self.settings.gateway_api:
            return gateway_api.definitions(), *charts
        return charts

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

    def meter(self) -> Metering:
        return metering.metering(self.settings)

    def deliverer(self) -> Deliverer:
        return Deliverer()

    def route(self, model: Model, gateway_host: str | None) -> tuple[Chart | Manifest, ...]:
        own = (*destination.destination_rules(model), *limits.per_replica(model))
        picker, route = model.settings.traffic.picker, model.settings.route
        if picker is None or route is None or gateway_host is None:
            routes = traffic.virtual_services(model, gateway_host)
            return *own, *limits.per_caller(model, routes), *routes
        host = route.host or gateway_host
        pool = endpoint_picker.pool(self.settings, model, picker, host)
        return *own, *traffic.virtual_services(model, None), *pool

    def gateway(self, ingress: Ingress) -> tuple[Chart, ...]:
        chart = gateway.chart(self.settings, ingress)
        if not ingress.model_hosts:
            return (chart,)
        return chart, model_router.chart(2 if self.settings.high_availability else 1)

    def gateway_namespace_metadata(self) -> Metadata:
        return Metadata()

    def expose(self, ingress: Ingress) -> tuple[Manifest, ...]:
        listeners = gateway.listeners(ingress)
        if ingress.model_hosts:
            listeners += model_router.objects(ingress.model_hosts)
        if ingress.picked_hosts:
            listeners += endpoint_picker.listeners(self.settings, ingress.tls_secret)
        return listeners
