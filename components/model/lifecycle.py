"""How a model's replicas start, stop and are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Count, Duration, seconds

PRE_STOP_SECONDS = 15
"""How long a pod that is to stop keeps serving, until no proxy sends it new requests."""

EXIT_SECONDS = 5
"""What is left of the grace period for the process itself to end."""

DAY_SECONDS = 86_400


class StartupSettings(Settings):
    """How long a replica may load: period x failures. Slow downloads need more."""

    period: Duration = "10s"
    failures: Count = 60

    def problems(self) -> Iterator[Problem]:
        if seconds(self.period) < 1:
            yield Problem(
                ("period",), f"{self.period} is below 1s, the shortest that Kubernetes has"
            )
        if self.seconds > DAY_SECONDS:
            yield Problem(
                ("failures",),
                f"{self.failures} x {self.period} is more than a day; lower failures or period",
            )

    @property
    def period_seconds(self) -> int:
        return int(seconds(self.period))

    @property
    def seconds(self) -> int:
        """The whole time that a replica may load."""
        return self.period_seconds * self.failures


class RolloutSettings(Settings):
    """How a new version replaces the old one.

    By default one replica at a time and none in addition: a rollout that needs a spare GPU waits
    forever where there is none (https://github.com/defilantech/LLMKube/issues/192).
    """

    surge: Annotated[int, Field(ge=0, le=1000, strict=True)] = 0
    unavailable: Annotated[int, Field(ge=0, le=1000, strict=True)] = 1

    def problems(self) -> Iterator[Problem]:
        if not self.surge and not self.unavailable:
            yield Problem(
                (), "surge and unavailable are both 0, so no pod could ever be replaced; raise one"
            )
