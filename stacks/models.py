"""The models of a stack, resolved: with their presets, and with one another."""

from __future__ import annotations

from dataclasses import replace

from components.model.memory import ModelProfile
from components.model.model import Model
from components.model.settings import ModelSettings
from stacks.presets import PRESETS
from stacks.settings import StackSettings


def models(settings: StackSettings) -> list[Model]:
    """In the order of the stack file; a model knows its mirror, and the mirror its sources."""
    traces = settings.tracing.endpoint if settings.tracing else None
    alone = {
        name: Model(
            name,
            model,
            _profile(model),
            traces,
            settings.prometheus_url,
            settings.adoption_of(model.namespace),
        )
        for name, model in settings.models.items()
    }
    mirrors = {
        name: model.traffic.mirror.model
        for name, model in settings.models.items()
        if model.traffic.mirror
    }
    return [
        replace(
            model,
            canary_profile=_profile(model.settings.for_canary()),
            mirror=alone[mirrors[name]] if name in mirrors else None,
            mirrored_from=tuple(alone[source] for source, to in mirrors.items() if to == name),
        )
        for name, model in alone.items()
    ]


def _profile(settings: ModelSettings | None) -> ModelProfile | None:
    return PRESETS[settings.preset] if settings and settings.preset else None


def released_gpus(resolved: list[Model]) -> list[str]:
    """What releasing step by step takes, a line a model on GPUs."""
    lines = []
    for model in resolved:
        gpus, surge = model.settings.gpu.count, model.settings.rollout.surge
        if model.settings.progressive and gpus:
            most = model.stable.most_replicas
            lines.append(
                f"a release of {model.name} runs the old and the new version side by side: up to "
                f"{(2 * most + surge) * gpus} GPUs at its peak, {most * gpus} between releases"
            )
    return lines


def mirrored_gpus(resolved: list[Model]) -> list[str]:
    """What mirroring costs, a line a mirror."""
    lines = []
    for model in resolved:
        mirror, target = model.settings.traffic.mirror, model.mirror
        if mirror and target:
            gpus = target.stable.most_gpus
            lines.append(
                f"{mirror.percent} % of the requests to {model.name} are mirrored to "
                f"{target.name}: up to {gpus} GPUs work for no user"
            )
    return lines
