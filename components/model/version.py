"""One version of a model: settings of its own, and what its server is started with."""

from __future__ import annotations

from dataclasses import dataclass

from components.model.cache import weights_path
from components.model.memory import ModelProfile
from components.model.runtimes.base import Launch
from components.model.runtimes.vllm import VllmRuntime
from components.model.settings import ModelSettings
from components.types import seconds

VERSIONS = ("stable", "canary")
"""The versions that a model may have."""


@dataclass(frozen=True)
class Version:
    """One version of a model that runs: the stable one or its canary."""

    name: str
    """Value of the label `version`, and name of the subset that routes refer to."""
    deployment: str
    weight: int
    """Percent of the requests."""
    settings: ModelSettings
    """The model's, with what differs in this version."""
    launch: Launch

    @property
    def replicas(self) -> int | None:
        """None where an autoscaler owns them."""
        return None if self.settings.autoscaling else self.settings.replicas or 1

    @property
    def most_replicas(self) -> int:
        scaling = self.settings.autoscaling
        return scaling.max if scaling else self.settings.replicas or 1

    @property
    def most_gpus(self) -> int:
        return self.most_replicas * self.settings.gpu.count


def launch(
    model: str,
    settings: ModelSettings,
    profile: ModelProfile | None,
    traces_endpoint: str | None,
) -> Launch:
    """What a server with these settings is started with; `model` is the name that it answers to."""
    runtime = settings.runtime
    hub_id = runtime.model if isinstance(runtime, VllmRuntime) else None
    if profile:
        hub_id = profile.hub_id
    return Launch(
        name=model,
        profile=profile,
        weights=weights_path(settings.cache) or hub_id or model,
        generation=_generation(settings, profile),
        gpus=settings.gpu.count or 1,
        drain_seconds=settings.drain_seconds,
        keep_alive_seconds=int(seconds(settings.traffic.timeouts.idle)) + 60,
        traces_endpoint=traces_endpoint,
    )


def _generation(settings: ModelSettings, profile: ModelProfile | None) -> dict[str, float | int]:
    """Sampling of the preset, overridden by the settings, in the words of Hugging Face."""
    own = settings.generation
    given = {
        "max_new_tokens": own.max_tokens,
        "temperature": own.temperature,
        "top_p": own.top_p,
        "top_k": own.top_k,
        "repetition_penalty": own.repetition_penalty,
    }
    preset = dict(profile.sampling) if profile else {}
    return preset | {key: value for key, value in given.items() if value is not None}
