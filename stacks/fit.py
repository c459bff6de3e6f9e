"""Whether a model fits its preset, its GPU and its cluster."""

from __future__ import annotations

from collections.abc import Iterator

from components.model.cache import ImageCache
from components.model.memory import GPUS, Gpu, ModelProfile
from components.model.runtimes.vllm import VllmRuntime
from components.model.settings import ModelSettings
from components.settings import Problem
from stacks.presets import PRESETS


def fit_problems(model: ModelSettings, kubernetes: str | None) -> Iterator[Problem]:
    """What a model's settings ask of its preset, its GPU and its cluster."""
    profile = PRESETS.get(model.preset) if model.preset else None
    if model.preset and profile is None:
        yield Problem(
            ("preset",), f"unknown preset {model.preset}; expected one of {', '.join(PRESETS)}"
        )
    gpu = GPUS.get(model.gpu.product) if model.gpu.product else None
    if model.gpu.product and gpu is None:
        yield Problem(
            ("gpu", "product"),
            f"unknown GPU {model.gpu.product}; expected the node label nvidia.com/gpu.product, one "
            f"of {', '.join(GPUS)}; for any other, such as a MIG slice, use nodeSelector",
        )
    if isinstance(model.runtime, VllmRuntime) and profile and model.gpu.count:
        yield from _gpu_problems(model.runtime, profile, gpu, model.gpu.count)
    if isinstance(model.cache, ImageCache) and kubernetes and int(kubernetes.split(".")[1]) < 35:
        yield Problem(
            ("cache", "kind"),
            f"image volumes need Kubernetes 1.35, the cluster has {kubernetes}; use kind: pvc",
        )


def _gpu_problems(
    runtime: VllmRuntime, profile: ModelProfile, gpu: Gpu | None, count: int
) -> Iterator[Problem]:
    """What a known model asks of its GPUs, and of the product where it is known."""
    if runtime.max_length and runtime.max_length > profile.context_length:
        yield Problem(
            ("runtime", "maxLength"),
            f"{profile.hub_id} has a context of {profile.context_length} tokens; lower it to that",
        )
    demand = runtime.demand(profile, count)
    if reason := demand.division_problem():
        yield Problem(("gpu", "count"), reason)
    if gpu is None:
        return
    if (runtime.dtype or profile.dtype) == "bfloat16" and not gpu.bfloat16:
        yield Problem(
            ("runtime", "dtype"), f"{gpu.product} has no bfloat16; set runtime.dtype: float16"
        )
    if reason := demand.problem(gpu):
        yield Problem(("gpu", "product"), reason)
