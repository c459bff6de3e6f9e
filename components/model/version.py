"""One version of a model: settings of its own, and what its server is started with."""

from __future__ import annotations

from dataclasses import dataclass

from components.autoscaling import Autoscaling, CpuAutoscaling
from components.model.cache import weights_path
from components.model.memory import ModelProfile
from components.model.runtimes.base import Launch
from components.model.runtimes.vllm import VllmRuntime
from components.model.settings import ModelSettings
from components.types import seconds

VERSIONS = ("stable", "canary")
"""The versions that a model may have."""

INSTANCE_LABEL = "app.kubernetes.io/instance"
"""By this and their version a Deployment selects its pods. Flagger gives it another value in the
copy of a Deployment that serves between releases."""


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
    def selector(self) -> dict[str, str]:
        """What the Deployment selects its pods by; it can never be changed."""
        return {INSTANCE_LABEL: self.launch.name, "version": self.name}

    @property
    def scaling(self) -> Autoscaling | None:
        """What owns the replicas; None where the Deployment says how many.

        A Deployment that Flagger scales to zero and back says nothing: a fixed number of replicas
        is then kept by an autoscaler without a choice.
        """
        fixed = self.settings.replicas or 1
        if self.settings.autoscaling is None and self.settings.progressive:
            return CpuAutoscaling(signal="cpu", min=fixed, max=fixed)
        return self.settings.autoscaling

    @property
    def replicas(self) -> int | None:
        """None where an autoscaler owns them."""
        return None if self.scaling else self.settings.replicas or 1

    @property
    def most_replicas(self) -> int:
        return self.settings.most_replicas

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
