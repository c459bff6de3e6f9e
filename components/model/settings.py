"""What a user writes about one model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field
from pydantic.alias_generators import to_camel

from components.autoscaling import Autoscaling, QueueDepthAutoscaling
from components.callers import AnyCaller
from components.model import capacity
from components.model.cache import Cache
from components.model.canary import OF_VLLM, CanarySettings, in_canary
from components.model.hardware import GpuSettings, ResourcesSettings, Toleration
from components.model.lifecycle import (
    EXIT_SECONDS,
    PRE_STOP_SECONDS,
    RolloutSettings,
    StartupSettings,
)
from components.model.route import RouteSettings
from components.model.runtimes.custom import CustomRuntime
from components.model.runtimes.vllm import VllmRuntime
from components.progressive import ProgressiveSettings
from components.secret import SecretValue
from components.settings import Problem, Settings
from components.traffic import TrafficSettings
from components.types import (
    Count,
    Duration,
    LabelKey,
    LabelValue,
    Name,
    ServiceName,
    Tokens,
    seconds,
)


class GenerationSettings(Settings):
    """Server-side limit and defaults of generation; a request may ask for other sampling."""

    max_tokens: Tokens | None = None
    """Most new tokens of a request."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=100_000, strict=True)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None


class ApiKeySettings(Settings):
    """A key that callers send as a bearer token, checked by the server beside the mesh's rules."""

    value: SecretValue | None = None
    """The key; default: a random one that Pulumi makes and keeps."""


class ModelSettings(Settings):
    """One model: what serves it, on what, for whom."""

    namespace: Name
    preset: str | None = None
    """A known model of `stacks/presets.py`."""
    runtime: Annotated[VllmRuntime | CustomRuntime, Field(discriminator="kind")] = VllmRuntime()
    service: ServiceName | None = None
    """Name of the Service. Default: the model's name with dashes for dots, which Kubernetes does
    not allow in the name of a Service."""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    """Added to all objects; `app` defaults to the model's name."""
    replicas: Count | None = None
    """Default: 1. Not together with autoscaling."""
    autoscaling: Autoscaling | None = None
    resources: ResourcesSettings = ResourcesSettings()
    gpu: GpuSettings = GpuSettings()
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    """In addition to that of the GPU taint."""
    cache: Cache | None = None
    hugging_face_token: SecretValue | None = None
    generation: GenerationSettings = GenerationSettings()
    callers: tuple[AnyCaller, ...] = ()
    """Who may call the model in the mesh; the gateway always may."""
    api_key: ApiKeySettings | None = None
    route: RouteSettings | None = RouteSettings()
    """null keeps the model inside the mesh."""
    traffic: TrafficSettings = TrafficSettings()
    canary: CanarySettings | None = None
    progressive: ProgressiveSettings | None = None
    """Release every change of the pods step by step instead. Not together with canary."""
    startup: StartupSettings = StartupSettings()
    grace_period: Duration = "180s"
    """From the order to stop until the pod is killed: time for running generations to end."""
    rollout: RolloutSettings = RolloutSettings()

    def problems(self) -> Iterator[Problem]:
        yield from self._version_problems()
        yield from self._canary_problems()
        yield from self._progressive_problems()
        yield from self._limit_problems()
        if self.drain_seconds <= 0:
            yield Problem(
                ("gracePeriod",),
                f"{self.grace_period} leaves nothing to finish generations in: "
                f"{PRE_STOP_SECONDS}s pass until no new requests come and {EXIT_SECONDS}s are for "
                "the process to end; use at least 30s",
            )

    def for_canary(self) -> ModelSettings | None:
        """The settings of the canary, if there is one: these, with its differences."""
        canary = self.canary
        if canary is None:
            return None
        known = type(self.runtime).model_fields
        differences = {key: to for key, to in canary.of_runtime().items() if key in known}
        if canary.preset is not None and isinstance(self.runtime, VllmRuntime):
            differences["model"] = None
        environment = self.runtime.environment | canary.environment
        return self.model_copy(
            update={
                "canary": None,
                "preset": canary.preset or (self.preset if canary.model is None else None),
                "runtime": self.runtime.model_copy(
                    update=differences | {"environment": environment}
                ),
                "resources": canary.resources or self.resources,
                "gpu": canary.gpu or self.gpu,
                "replicas": canary.replicas,
                "autoscaling": canary.autoscaling,
            }
        )

    def _canary_problems(self) -> Iterator[Problem]:
        """What is wrong with the canary and not with the stable version."""
        canary = self.for_canary()
        if canary is None or self.canary is None:
            return
        if not isinstance(self.runtime, VllmRuntime):
            for name in OF_VLLM:
                if getattr(self.canary, name) is not None:
                    key = to_camel(name)
                    yield Problem(
                        ("canary", key),
                        f"the {self.runtime.kind} runtime has no {key}; remove it",
                    )
        stable = set(self._version_problems())
        for problem in canary._version_problems():
            if problem not in stable:
                yield Problem(in_canary(problem.path), problem.message)

    def _progressive_problems(self) -> Iterator[Problem]:
        if self.progressive is None:
            return
        if self.canary is not None:
            yield Problem(
                ("canary",),
                "with progressive the new version is what the model itself says, and Flagger has "
                "the weights; remove canary, or remove progressive for a static one",
            )
        analysis, runtime = self.progressive.analysis, self.runtime
        measures = {
            "first_token": runtime.first_token_metric,
            "inter_token": runtime.inter_token_metric,
            "queue_depth": runtime.queue_metric,
        }
        for name, metric in measures.items():
            asked = name in analysis.model_fields_set and getattr(analysis, name) is not None
            if asked and metric is None:
                yield Problem(
                    ("progressive", "analysis", to_camel(name)),
                    f"the {runtime.kind} runtime has no such metric; remove it",
                )
        usable = ["success_rate", *(name for name, metric in measures.items() if metric)]
        if all(getattr(analysis, name) is None for name in usable):
            yield Problem(
                ("progressive", "analysis"),
                "nothing is left to judge a new version by; set successRate",
            )

    def _version_problems(self) -> Iterator[Problem]:
        """Rules that each version has to keep for itself."""
        if self.replicas is not None and self.autoscaling is not None:
            yield Problem(
                ("replicas",),
                "replicas and autoscaling would fight over the Deployment; remove replicas, or "
                "remove autoscaling",
            )
        yield from self._runtime_problems()
        yield from self._picker_problems()
        yield from self._environment_problems()
        yield from capacity.running_problems(self.traffic, self.runtime)

    def _limit_problems(self) -> Iterator[Problem]:
        """Limits that the versions share, against the rest of the model."""
        if problem := capacity.drain_problem(self.traffic, self.drain_seconds):
            yield problem
        rate_limit = self.traffic.rate_limit
        if rate_limit and rate_limit.by == "header" and self.route is None:
            yield Problem(
                ("traffic", "rateLimit"),
                "the gateway counts requests by header, and does not have this model (route: "
                "null); remove rateLimit, or the route: null",
            )

    def _runtime_problems(self) -> Iterator[Problem]:
        vllm = self.runtime if isinstance(self.runtime, VllmRuntime) else None
        if vllm and vllm.model is None and self.preset is None:
            yield Problem(
                (),
                "vLLM has no model to serve; set preset to a known model, or runtime.model to a "
                "Hugging Face id",
            )
        if vllm and vllm.model is not None and self.preset is not None:
            yield Problem(
                ("runtime", "model"),
                f"preset {self.preset} names the model already; remove runtime.model or preset",
            )
        if isinstance(self.autoscaling, QueueDepthAutoscaling) and not self.runtime.queue_metric:
            yield Problem(
                ("autoscaling", "signal"),
                f"the {self.runtime.kind} runtime has no metric of its queue; use signal: cpu, or "
                "runtime.kind: vllm",
            )

    def _picker_problems(self) -> Iterator[Problem]:
        """What an endpoint picker needs, and what its word leaves no room for."""
        if self.traffic.picker is None:
            return
        where = ("traffic", "balancing", "policy")
        if self.route is None:
            yield Problem(
                where,
                "an endpoint picker is asked by the gateway, and route: null keeps the model from "
                "it; set a route, or use policy: least-request",
            )
        if not isinstance(self.runtime, VllmRuntime):
            yield Problem(
                where,
                f"an endpoint picker reads vLLM's metrics, and the runtime is {self.runtime.kind}; "
                "use policy: least-request or consistent-hash",
            )
        if excluded := [*self._excluded_by_a_picker()]:
            yield Problem(
                where,
                f"an endpoint picker chooses among all pods of the model for every request, so "
                f"that {', '.join(excluded)} would have no effect; remove that, or use policy: "
                "least-request",
            )

    def _excluded_by_a_picker(self) -> Iterator[str]:
        traffic, default = self.traffic, TrafficSettings()
        if self.canary:
            yield "canary"
        if self.progressive:
            yield "progressive"
        if traffic.mirror:
            yield "traffic.mirror"
        if traffic.fault:
            yield "traffic.fault"
        if traffic.retries != default.retries:
            yield "traffic.retries"
        if traffic.rate_limit:
            yield "traffic.rateLimit"
        if traffic.timeouts.first_byte:
            yield "traffic.timeouts.firstByte"

    def _environment_problems(self) -> Iterator[Problem]:
        from_secrets = {
            "HF_TOKEN": self.hugging_face_token,
            self.runtime.api_key_variable(): self.api_key,
        }
        for variable, secret in from_secrets.items():
            if secret is not None and variable in self.runtime.environment:
                yield Problem(
                    ("runtime", "environment", variable),
                    f"{variable} comes from a Secret already; remove it here",
                )

    @property
    def most_replicas(self) -> int:
        return self.autoscaling.max if self.autoscaling else self.replicas or 1

    @property
    def request_limit(self) -> int | None:
        """Most requests that a replica has at once, running and waiting; None for no limit."""
        return capacity.limit(self.traffic, self.runtime)

    @property
    def drain_seconds(self) -> int:
        """Time for running generations to finish once no new requests come."""
        return int(seconds(self.grace_period)) - PRE_STOP_SECONDS - EXIT_SECONDS
