"""A model server in the mesh: one component with all that a model needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi

from components.control_plane import ControlPlane
from components.gateway import Gateway
from components.kubernetes import KubernetesObject, Manifest
from components.mesh.protocol import Mesh
from components.model import cache, objects
from components.model.model import Model
from components.model.secrets import model_secrets
from components.namespace import InjectedNamespace


@dataclass(frozen=True)
class ModelServerArgs:
    model: Model
    mesh: Mesh
    control_plane: ControlPlane
    namespace: InjectedNamespace
    gateway: Gateway | None = None
    gateway_host: str | None = None


class ModelServer(pulumi.ComponentResource):
    """Pods, Service, policies, routes and autoscaler of one model."""

    url: pulumi.Output[str]
    """Where callers inside the mesh reach the model."""

    def __init__(
        self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:model:ModelServer", name, None, opts)
        self._name, self._model, self._args = name, args.model, args
        model, mesh = args.model, args.mesh
        in_namespace = [args.namespace.namespace]
        in_mesh = [*in_namespace, args.control_plane.ready]

        secrets = model_secrets(model, pulumi.ResourceOptions(parent=self))
        claim = cache.claim(model.settings.cache, model.name_label, model.namespace, model.labels)
        basics = [objects.service_account(model), *secrets.manifests]
        needed = self._create([*basics, *([claim] if claim else [])], in_namespace)
        self._create([objects.disruption_budget(model)], in_namespace)
        policies = self._create(mesh.authorize(model, args.gateway is not None), in_mesh)
        self._create(mesh.route(model, args.gateway_host), in_mesh)

        pods = [
            objects.deployment(model, version, mesh.inject(model), secrets.environment)
            for version in model.versions
        ]
        before_pods = [*in_mesh, *args.namespace.policies, *policies, *needed]
        self._create([*pods, objects.service(model)], before_pods)
        if scaler := objects.replicas_owner(model):
            self._create([scaler], in_namespace)
        self.url = pulumi.Output.from_input(f"http://{model.service_host}:{model.port}")
        self.register_outputs({"url": self.url})

    def _create(
        self, manifests: Iterable[Manifest], after: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        return [self._object(content, after) for content in manifests]

    def _object(self, content: Manifest, after: list[pulumi.Resource]) -> pulumi.Resource:
        # A slash is in no model's name, so that no two models' objects can have one name.
        name = f"{self._name}/{content['metadata']['name']}"
        opts = pulumi.ResourceOptions(
            parent=self,
            depends_on=after,
            custom_timeouts=self._timeouts(content["kind"]),
        )
        return KubernetesObject(name, content, opts)

    def _timeouts(self, kind: str) -> pulumi.CustomTimeouts | None:
        """Pulumi waits 10 minutes for a Deployment or a Service, less than a large model loads."""
        if kind not in ("Deployment", "Service"):
            return None
        rollout = f"{objects.rollout_seconds(self._model)}s"
        return pulumi.CustomTimeouts(create=rollout, update=rollout)
