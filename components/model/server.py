"""A model server in the mesh: one component with all that a model needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi

from components.ai_gateway import budget
from components.ai_gateway.component import AiGateway
from components.chart import Chart, ChartSource, install
from components.flagger import Flagger
from components.gateway import Gateway
from components.kubernetes import KubernetesObject, Manifest
from components.mesh.protocol import Mesh
from components.model import cache, objects
from components.model.model import Model
from components.model.release import release
from components.model.secrets import model_secrets
from components.namespace import InjectedNamespace


@dataclass(frozen=True)
class ModelServerArgs:
    model: Model
    mesh: Mesh
    namespace: InjectedNamespace
    gateway: Gateway | None = None
    gateway_host: str | None = None
    flagger: Flagger | None = None
    """What releases the model, if that is done step by step."""
    charts: ChartSource | None = None
    ai_gateway: AiGateway | None = None
    """What counts the tokens of callers, if any have a budget."""


class ModelServer(pulumi.ComponentResource):
    """Pods, Service, policies, routes and autoscaler of one model."""

    url: pulumi.Output[str]
    """Where callers inside the mesh reach the model."""

    def __init__(
        self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:model:ModelServer", name, None, opts)
        self._model = model = args.model
        mesh = args.mesh
        secrets = model_secrets(model, pulumi.ResourceOptions(parent=self))
        basics = [objects.service_account(model), *secrets.manifests]
        policies = mesh.authorize(model, args.gateway is not None)
        before = self._create([*basics, *policies], args.namespace.policies)

        claim = cache.claim(model.settings.cache, model.name_label, model.namespace, model.labels)
        pods = [
            objects.deployment(model, version, mesh.inject(model), secrets.environment)
            for version in model.versions
        ]
        workload = [
            *([claim] if claim else []),
            *pods,
            objects.service(model, mesh.service_metadata(model)),
        ]
        serving = self._create([*workload, objects.disruption_budget(model)], before)
        # Callers are sent only to what is there, and an autoscaler finds what it scales.
        routes = mesh.route(model, args.gateway_host)
        charts = [part for part in routes if isinstance(part, Chart)]
        there = install(charts, args.charts, self, serving)
        if args.ai_gateway:
            there += self._create(budget.objects(model), [*there, *args.ai_gateway.ready])
        manifests = [part for part in routes if not isinstance(part, Chart)]
        routed = self._create([*manifests, *objects.autoscalers(model)], there)
        if args.flagger:
            self._create(release(model, mesh.deliver(model)), [*routed, *args.flagger.ready])
        self.url = pulumi.Output.from_input(f"http://{model.service_host}:{model.port}")
        self.register_outputs({"url": self.url})

    def _create(
        self, manifests: Iterable[Manifest], after: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        return [self._object(content, after) for content in manifests]

    def _object(self, content: Manifest, after: list[pulumi.Resource]) -> pulumi.Resource:
        opts = pulumi.ResourceOptions(
            parent=self,
            depends_on=after,
            custom_timeouts=self._timeouts(content["kind"]),
        )
        return KubernetesObject(content, opts)

    def _timeouts(self, kind: str) -> pulumi.CustomTimeouts | None:
        """Pulumi waits 10 minutes for a Deployment or a Service, less than a large model loads."""
        if kind not in ("Deployment", "Service"):
            return None
        rollout = f"{objects.rollout_seconds(self._model)}s"
        return pulumi.CustomTimeouts(create=rollout, update=rollout)
