"""What one replica of a model runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Cpu, ExtendedResource, LabelKey, LabelValue, Memory, expected


class ResourcesSettings(Settings):
    """What one replica's model container asks of its node."""

    cpu: Cpu = "4"
    """Requested cores; not limited, so that tokenising is never throttled."""
    memory: Memory = "16Gi"
    """Requested and limited."""


class GpuSettings(Settings):
    """The GPUs of one replica."""

    count: Annotated[
        int, Field(ge=0, le=16, strict=True), expected("a whole number of GPUs, 0 to 16")
    ] = 1
    """GPUs a replica; 0 for a model on CPU."""
    product: LabelValue | None = None
    """Value of the node label nvidia.com/gpu.product, for example NVIDIA-L4. With it the pods run
    only there, and the model's memory is checked against it."""
    resource: ExtendedResource = "nvidia.com/gpu"
    """Extended resource of the device plugin."""


class Toleration(Settings):
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""

    key: LabelKey
    operator: Literal["Exists", "Equal"] = "Exists"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    def problems(self) -> Iterator[Problem]:
        if self.operator == "Exists" and self.value:
            yield Problem(
                ("value",), "a toleration that Exists takes any value; set operator: Equal"
            )
