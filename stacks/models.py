"""The models of a stack, resolved: with their presets, and with one another."""

from __future__ import annotations

from dataclasses import replace

from components.model.model import Model
from stacks.presets import PRESETS
from stacks.settings import StackSettings


def models(settings: StackSettings) -> list[Model]:
    """In the order of the stack file; a model knows its mirror, and the mirror its sources."""
    traces = settings.tracing.endpoint if settings.tracing else None
    alone = {
        name: Model(
            name,
            model,
            PRESETS[model.preset] if model.preset else None,
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
            mirror=alone[mirrors[name]] if name in mirrors else None,
            mirrored_from=tuple(alone[source] for source, to in mirrors.items() if to == name),
        )
        for name, model in alone.items()
    ]


def mirrored_gpus(resolved: list[Model]) -> list[str]:
    """What mirroring costs, a line a mirror."""
    lines = []
    for model in resolved:
        mirror, target = model.settings.traffic.mirror, model.mirror
        if mirror and target:
            gpus = target.most_replicas * target.settings.gpu.count
            lines.append(
                f"{mirror.percent} % of the requests to {model.name} are mirrored to "
                f"{target.name}: up to {gpus} GPUs work for no user"
            )
    return lines
