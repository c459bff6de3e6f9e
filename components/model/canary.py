"""What a user writes about a model's canary: its share of the requests, and how it differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from components.autoscaling import Autoscaling
from components.model.hardware import GpuSettings, ResourcesSettings
from components.model.memory import DType
from components.settings import Problem, Settings
from components.types import (
    Count,
    EnvName,
    HeaderName,
    HeaderValue,
    HubId,
    Image,
    Percent,
    Tokens,
)

OF_VLLM = ("model", "dtype", "max_length", "max_sequences")
"""Differences that only the vllm runtime has."""

OF_RUNTIME = ("image", "arguments", *OF_VLLM)
"""Differences that are settings of the runtime, by the same names."""


class CanarySettings(Settings):
    """A second version beside the stable one; what is not given here is as in the stable one.

    Both answer to the model's name, so that callers cannot tell which they reached.
    """

    weight: Percent
    """Share of the requests; the stable version gets the rest, so weights always sum to 100."""
    image: Image | None = None
    preset: str | None = None
    """Another known model of `stacks/presets.py`; its memory is checked like the stable one's."""
    model: HubId | None = None
    """Hugging Face id of another model without a preset, for the vllm runtime."""
    arguments: tuple[str, ...] | None = None
    """In place of the stable version's `runtime.arguments`; [] for none."""
    environment: dict[EnvName, str] = Field(default_factory=dict)
    """Added to the stable version's `runtime.environment`; a name in both has this value."""
    dtype: DType | None = None
    """Of the vllm runtime, as are maxLength and maxSequences."""
    max_length: Tokens | None = None
    max_sequences: Annotated[int, Field(ge=1, le=4096, strict=True)] | None = None
    resources: ResourcesSettings | None = None
    """In place of all of the stable version's."""
    gpu: GpuSettings | None = None
    """In place of all of the stable version's."""
    replicas: Count | None = None
    """Default: 1. Not together with autoscaling."""
    autoscaling: Autoscaling | None = None
    """The canary's own; the stable version's is not taken over."""
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Requests with these headers always get the canary: an A/B test by header."""
    sticky: bool = False
    """Keep a user with the version of the first answer, by a cookie: an A/B test by user."""

    def problems(self) -> Iterator[Problem]:
        if self.preset is not None and self.model is not None:
            yield Problem(("model",), f"preset {self.preset} names the model already; remove one")
        differences = (*OF_RUNTIME, "preset", "resources", "gpu")
        if not self.environment and all(getattr(self, name) is None for name in differences):
            yield Problem(
                (),
                "the canary is the same as the stable version; set what differs, for example image",
            )

    def of_runtime(self) -> dict[str, Any]:
        """The differences in the runtime's settings, by their names there."""
        values = {name: getattr(self, name) for name in OF_RUNTIME}
        return {name: value for name, value in values.items() if value is not None}


def in_canary(path: tuple[str, ...]) -> tuple[str, ...]:
    """Where a setting of a model is written when it is the canary's; traffic is for both."""
    if path[:1] == ("traffic",):
        return path
    return ("canary", *(key for key in path if key != "runtime"))
