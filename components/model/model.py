"""One model, resolved: settings together with what its preset knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from components.adoption import Adoption
from components.kubernetes import recommended_labels
from components.model.cache import weights_path
from components.model.memory import ModelProfile
from components.model.runtimes.base import Launch
from components.model.runtimes.vllm import VllmRuntime
from components.model.settings import ModelSettings
from components.types import Hostname, Port, seconds

VERSIONS = ("stable", "canary")
"""The versions that a model may have."""


@dataclass(frozen=True)
class Version:
    """One version of a model that runs: the stable one or its canary."""

    name: str
    """Value of the label `version`, and name of the subset that routes refer to."""
    deployment: str
    image: str
    weight: int
    """Percent of the requests."""
    replicas: int | None
    """None where an autoscaler owns them."""


@dataclass(frozen=True)
class Model:
    """A model to be served: what components and meshes read, derived in one place."""

    name: str
    settings: ModelSettings
    profile: ModelProfile | None = None
    traces_endpoint: str | None = None
    """OTLP/gRPC endpoint of the trace collector, as a URL."""
    prometheus: str | None = None
    """URL of the Prometheus that scrapes the model servers."""
    adoption: Adoption = "strict"
    """How far the model's namespace has come into the mesh."""
    mirror: Model | None = None
    """The model that gets a copy of the requests."""
    mirrored_from: tuple[Model, ...] = ()
    """The models whose requests this one gets a copy of: their callers reach it too."""

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    @property
    def name_label(self) -> str:
        """The name as a DNS label, for names in which Kubernetes allows no dots."""
        return self.name.replace(".", "-")

    @property
    def service(self) -> str:
        return self.settings.service or self.name_label

    @property
    def service_host(self) -> Hostname:
        return f"{self.service}.{self.namespace}.svc.cluster.local"

    @property
    def port(self) -> Port:
        return self.settings.runtime.port

    @property
    def service_account(self) -> str:
        return self.name_label

    @property
    def public_paths(self) -> tuple[str, ...]:
        """What may be called through the gateway; empty for all."""
        route = self.settings.route
        given = route.paths if route else None
        return self.settings.runtime.public_paths if given is None else given

    @property
    def most_replicas(self) -> int:
        """Of the stable version."""
        scaling = self.settings.autoscaling
        return scaling.max if scaling else self.settings.replicas or 1

    @property
    def grace_seconds(self) -> int:
        """From the order to stop until the pod is killed."""
        return int(seconds(self.settings.grace_period))

    @cached_property
    def selector(self) -> dict[str, str]:
        """Labels of the pods of all versions; none that a user may change, for a Deployment's
        selector cannot be."""
        return {"app.kubernetes.io/instance": self.name}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels of every object of the model."""
        own = {"app": self.name} | self.settings.labels
        return recommended_labels(self.name, "model-server") | own | self.selector

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        settings, canary = self.settings, self.settings.canary
        replicas = None if settings.autoscaling else settings.replicas or 1
        stable_weight = 100 - (canary.weight if canary else 0)
        stable = Version("stable", self.name, settings.runtime.image, stable_weight, replicas)
        if canary is None:
            return (stable,)
        deployment = f"{self.name}-canary"
        return (
            stable,
            Version("canary", deployment, canary.image, canary.weight, canary.replicas),
        )

    def version_cookie(self, version: str) -> str:
        """The cookie that keeps a user with a version, as a Set-Cookie header."""
        return f"{self._cookie}={version}; Path=/; HttpOnly; SameSite=Lax"

    def version_cookie_pattern(self, version: str) -> str:
        """Regular expression of a whole Cookie header that has it."""
        return f"(.*;[ ]*)?{self._cookie}={version}(;.*)?"

    @property
    def _cookie(self) -> str:
        return f"{self.name_label}-version"

    @cached_property
    def launch(self) -> Launch:
        """What the model's server is started with."""
        settings, runtime = self.settings, self.settings.runtime
        hub_id = runtime.model if isinstance(runtime, VllmRuntime) else None
        if self.profile:
            hub_id = self.profile.hub_id
        return Launch(
            name=self.name,
            profile=self.profile,
            weights=weights_path(settings.cache) or hub_id or self.name,
            generation=self._generation(),
            gpus=settings.gpu.count or 1,
            drain_seconds=settings.drain_seconds,
            keep_alive_seconds=int(seconds(settings.traffic.timeouts.idle)) + 60,
            traces_endpoint=self.traces_endpoint,
        )

    def _generation(self) -> dict[str, float | int]:
        """Sampling of the preset, overridden by the settings, in the words of Hugging Face."""
        own = self.settings.generation
        given = {
            "max_new_tokens": own.max_tokens,
            "temperature": own.temperature,
            "top_p": own.top_p,
            "top_k": own.top_k,
            "repetition_penalty": own.repetition_penalty,
        }
        preset = dict(self.profile.sampling) if self.profile else {}
        return preset | {key: value for key, value in given.items() if value is not None}
