"""What one replica of a model runs on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings import Settings
from components.types import Cpu, ExtendedResource, LabelValue, Memory, expected


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
