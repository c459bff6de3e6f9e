"""The configuration of a stack: all that a Pulumi.<stack>.yaml may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, HttpUrl

from components.adoption import Adoption
from components.ai_gateway.settings import AiGatewaySettings
from components.chart import ChartSource
from components.cluster import ClusterSettings
from components.flagger import FlaggerSettings
from components.ingress import GatewaySettings
from components.mesh.features import FEATURES
from components.model import capacity
from components.model.canary import in_canary
from components.model.model import Model
from components.model.settings import ModelSettings
from components.settings import Problem, Settings
from components.tracing import TracingSettings
from components.traffic import TrafficSettings
from components.types import ModelName, Name
from stacks.fit import fit_problems
from stacks.mesh import MeshSettings, lacks
from stacks.routes import route_problems

PROJECT = "inference-mesh"
"""The Pulumi project, in whose namespace the keys of a stack file are."""

LONGEST_RELEASED = 38
"""Characters of a name to which -primary, a ReplicaSet and a pod add 25 more, up to 63."""

LONGEST_RELEASED_SERVICE = 63 - len("-release-primary")


class NamespaceSettings(Settings):
    """A namespace of models that differs from the others."""

    adoption: Adoption
    """In place of the stack's."""


class StackSettings(Settings):
    """One environment: a mesh, a gateway and models."""

    environment: Literal["production", "staging", "development"] = "production"
    """What the stack is for. In production, faults are refused unless forced by name."""
    mesh: MeshSettings
    models: dict[ModelName, ModelSettings] = Field(default_factory=dict)
    gateway: GatewaySettings | None = None
    """Without one, models are reached from inside the mesh only."""
    adoption: Adoption = "strict"
    """How far the models' namespaces have come into the mesh. strict: mutual TLS alone, and nobody
    but the callers that a model lists. permissive: pods are meshed and still take plain text, for
    callers not yet in the mesh, who have no identity: everybody who reaches a model may then call
    it. unmeshed: the mesh is installed, the models are not in it. Go one step at a time."""
    namespaces: dict[Name, NamespaceSettings] = Field(default_factory=dict)
    """Namespaces of models with an adoption of their own."""
    prometheus: HttpUrl | None = None
    """The Prometheus that scrapes the model servers. Default: where the mesh's documentation
    installs it."""
    flagger: FlaggerSettings = FlaggerSettings()
    ai_gateway: AiGatewaySettings = AiGatewaySettings()
    tracing: TracingSettings | None = None
    cluster: ClusterSettings = ClusterSettings()
    charts: ChartSource | None = None
    """Where Helm charts come from. Default: their official repositories."""

    def problems(self) -> Iterator[Problem]:
        yield from self._name_problems()
        if self.gateway:
            yield from route_problems(self.models, self.gateway.host)
        for namespace in self.namespaces:
            if all(model.namespace != namespace for model in self.models.values()):
                yield Problem(
                    ("namespaces", namespace),
                    f"no model is in namespace {namespace}; remove this, or correct the name",
                )
        for name, model in self.models.items():
            if model.traffic.picker and self.gateway is None:
                yield Problem(
                    ("models", name, "traffic", "balancing", "policy"),
                    "an endpoint picker is asked by the gateway, and the stack has none; add a "
                    "gateway, or use policy: least-request",
                )
            for problem in self._feature_problems(model):
                yield Problem(("models", name, *problem.path), problem.message)
            for problem in self._release_problems(name, model):
                yield Problem(("models", name, *problem.path), problem.message)
            for problem in self._version_problems(model):
                yield Problem(("models", name, *problem.path), problem.message)
            for problem in self.mesh.model_problems(model):
                yield Problem(("models", name, *problem.path), problem.message)
            for problem in self._traffic_problems(name, model.traffic):
                yield Problem(("models", name, "traffic", *problem.path), problem.message)

    def adoption_of(self, namespace: str) -> Adoption:
        own = self.namespaces.get(namespace)
        return own.adoption if own else self.adoption

    @property
    def prometheus_url(self) -> str:
        return str(self.prometheus or self.mesh.default_prometheus).rstrip("/")

    def _feature_problems(self, model: ModelSettings) -> Iterator[Problem]:
        """What the model asks for and the mesh does not have."""
        missing = lacks(self.mesh)
        for feature in FEATURES:
            if feature.name in missing and feature.used(model):
                yield Problem(tuple(feature.path.split(".")), missing[feature.name])

    def _release_problems(self, name: str, model: ModelSettings) -> Iterator[Problem]:
        """What progressive delivery asks of names and of the namespace."""
        if model.progressive is None:
            return
        resolved = Model(name, model)
        if self.adoption_of(model.namespace) == "unmeshed":
            yield Problem(
                ("progressive",),
                f"namespace {model.namespace} is unmeshed, and it is the mesh that shifts the "
                "requests; use adoption: permissive or strict",
            )
        if len(name) > LONGEST_RELEASED:
            yield Problem(
                (),
                f"with progressive, at most {LONGEST_RELEASED} characters, so that the pods of "
                f"{resolved.primary} keep their whole names, by which metrics find them",
            )
        elif len(resolved.service) > LONGEST_RELEASED_SERVICE:
            yield Problem(
                ("service",),
                f"with progressive, at most {LONGEST_RELEASED_SERVICE} characters, since "
                f"{resolved.release_services[1]} has to be a name too",
            )

    def _version_problems(self, model: ModelSettings) -> Iterator[Problem]:
        """What the model asks of its surroundings, and what its canary does beyond."""
        stable = list(self._surrounding_problems(model))
        yield from stable
        if canary := model.for_canary():
            for problem in self._surrounding_problems(canary):
                if problem not in stable:
                    yield Problem(in_canary(problem.path), problem.message)

    def _surrounding_problems(self, version: ModelSettings) -> Iterator[Problem]:
        """What a version asks of its preset, GPU and cluster, and of limits that the mesh keeps."""
        yield from fit_problems(version, self.cluster.version)
        traffic, runtime, missing = version.traffic, version.runtime, lacks(self.mesh)
        if "traffic.concurrency.queue" not in missing:
            yield from capacity.queue_problems(traffic, runtime, version.autoscaling)
        if "traffic.connectionPool" not in missing:
            yield from capacity.pool_problems(traffic, runtime, version.most_replicas)

    def _traffic_problems(self, name: str, traffic: TrafficSettings) -> Iterator[Problem]:
        mirror, fault = traffic.mirror, traffic.fault
        if mirror and (mirror.model == name or mirror.model not in self.models):
            others = [other for other in self.models if other != name]
            yield Problem(
                ("mirror", "model"),
                f"{mirror.model} is no other model of this stack; expected one of "
                f"{', '.join(others) or 'none: there is no other'}",
            )
        limit = traffic.rate_limit
        if limit and limit.by == "header" and self.gateway is None:
            yield Problem(
                ("rateLimit",),
                "requests are counted by header at the gateway, and this stack has none; give it a "
                "gateway, or remove rateLimit",
            )
        if traffic.token_budget and (self.gateway is None or self.models[name].route is None):
            yield Problem(
                ("tokenBudget",),
                "tokens are counted of what comes through the gateway, which has no route to this "
                "model; give the stack a gateway and the model a route, or remove tokenBudget",
            )
        if fault and self.environment == "production" and fault.force != name:
            yield Problem(
                ("fault",),
                f"faults are for tests, and this stack is marked production; set environment: "
                f"staging, or force: {name} to disturb production on purpose",
            )

    def _name_problems(self) -> Iterator[Problem]:
        """Models that are different here and would share something in Kubernetes."""
        owners: dict[tuple[str, str], list[str]] = defaultdict(list)
        for model in self.models.values():
            owners[(model.namespace, "ServiceAccount default")] = ["the namespace itself"]
        for name, model in self.models.items():
            for own in _own(name, model):
                owners[(model.namespace, own)].append(name)
        told = []
        for (namespace, shared), names in owners.items():
            if len(names) > 1 and names not in told:
                told.append(names)
                yield Problem(
                    ("models", names[-1]),
                    f"{' and '.join(names)} would share the {shared} in namespace {namespace}; "
                    "rename one, or give them different services",
                )


def _own(name: str, model: ModelSettings) -> Iterator[str]:
    """What must be a model's alone in its namespace."""
    resolved = Model(name, model)
    yield f"Service {resolved.service}"
    yield from (f"route {name}" for name in (resolved.service, f"{resolved.service}-gateway"))
    yield f"ServiceAccount {resolved.service_account}"
    yield from (f"Deployment {version.deployment}" for version in resolved.versions)
    if model.progressive:
        yield f"Deployment {resolved.primary}"
        yield from (f"Service {service}" for service in resolved.release_services)
