"""Settings for tests: what a test does not name is as in a small plausible stack."""

from __future__ import annotations

from typing import Any

from components.adoption import Adoption
from components.mesh.ambient import Ambient
from components.mesh.istio import Istio
from components.mesh.istio.settings import IstioSettings
from components.mesh.linkerd import Linkerd
from components.mesh.linkerd.settings import LinkerdSettings
from components.model.memory import ModelProfile
from components.model.model import Model
from components.model.settings import ModelSettings
from stacks.load import from_mapping
from stacks.presets import PRESETS
from stacks.settings import StackSettings

NAME = "deepseek-r1-1.5b"
PRESET = "deepseek-r1-distill-qwen-1.5b"

CUSTOM = {"kind": "custom", "image": "registry.example.com/model:v1"}


def model_settings(**settings: Any) -> dict[str, Any]:
    """One model as in a stack file; `preset` and `namespace` are given."""
    return {"namespace": "ai-inference", "preset": PRESET, **settings}


PROMETHEUS = "http://prometheus.monitoring:9090"


def model(
    name: str = NAME,
    traces_endpoint: str | None = None,
    adoption: Adoption = "strict",
    **settings: Any,
) -> Model:
    """A model, resolved, with the profile of its preset."""
    loaded = ModelSettings.model_validate(model_settings(**settings))
    canary = _profile(loaded.for_canary())
    profile = _profile(loaded)
    return Model(name, loaded, profile, traces_endpoint, PROMETHEUS, adoption, canary)


def _profile(settings: ModelSettings | None) -> ModelProfile | None:
    return PRESETS[settings.preset] if settings and settings.preset else None


def istio(**settings: Any) -> Istio:
    return Istio(IstioSettings(kind="istio", **settings))


def ambient(**settings: Any) -> Ambient:
    return Ambient(IstioSettings(kind="istio", data_plane="ambient", **settings))


def linkerd(**settings: Any) -> Linkerd:
    return Linkerd(LinkerdSettings.model_validate({"kind": "linkerd"} | settings))


def stack_mapping(models: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A stack as in its file, with a gateway and one model."""
    gateway = {"host": "llm.example.com", "tls": {"secret": "certificate"}}
    stack: dict[str, Any] = {"mesh": {"kind": "istio"}, "gateway": gateway}
    return stack | {"models": {NAME: model_settings()} if models is None else models} | settings


def stack(models: dict[str, Any] | None = None, **settings: Any) -> StackSettings:
    return from_mapping(stack_mapping(models, **settings))
