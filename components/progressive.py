"""Progressive delivery: how a new version of a model gets its requests, and what it has to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, HttpUrl

from components.settings import Problem, Settings
from components.types import Duration, Name, Utilization, expected, seconds

SHORTEST_INTERVAL = 10
"""Seconds; Flagger takes no shorter one."""


class AnalysisSettings(Settings):
    """What a new version has to show in every interval; null leaves a measure out.

    The defaults are generous. Set what the present version holds under load. The latencies and the
    queue are the runtime's own metrics; a runtime without them is judged by what it has.
    """

    success_rate: Annotated[float, Field(gt=0, le=100)] | None = 99
    """Least share of requests that are not answered 5xx, in percent, as the mesh counts them."""
    first_token: Duration | None = "2s"  # noqa: S105
    """Most time to the first token that 95 % of the requests may take."""
    inter_token: Duration | None = "200ms"  # noqa: S105
    """Most time between two tokens in 95 % of the cases."""
    queue_depth: (
        Annotated[int, Field(ge=0, le=100_000, strict=True), expected("a whole number, 0 or more")]
        | None
    ) = 5
    """Most waiting requests a replica, on average."""

    def problems(self) -> Iterator[Problem]:
        if self.success_rate is not None and self.success_rate <= 1:
            yield Problem(
                ("successRate",),
                f"{self.success_rate:g} percent would promote a version that fails nearly every "
                f"request; give it in percent, for example {100 * self.success_rate:g}",
            )


class WebhookSettings(Settings):
    """A service of yours that Flagger calls during a release: a gate, a load test, a notice.

    https://docs.flagger.app/usage/webhooks
    """

    name: Name
    kind: Literal[
        "confirm-rollout",
        "pre-rollout",
        "rollout",
        "confirm-traffic-increase",
        "confirm-promotion",
        "post-rollout",
        "rollback",
        "event",
    ]
    """When it is called. confirm-*: the release waits until it answers 200. pre-rollout: before the
    first request, for acceptance tests. rollout: in every interval, for load tests.
    rollback: 200 rolls the release back."""
    url: HttpUrl
    timeout: Duration = "30s"
    metadata: dict[str, str] = Field(default_factory=dict)
    """Sent along, for example `cmd` for Flagger's load tester."""


class ProgressiveSettings(Settings):
    """A changed model gets its requests step by step, and is promoted or rolled back by metrics.

    Flagger does it: it keeps a copy of the version that serves (`<name>-primary`) and scales the
    Deployment of the model to zero between releases. A release is any change of the pods.
    """

    step: Utilization = 10
    """Percent of the requests that the new version gets in addition at each step."""
    max: Utilization = 50
    """Percent at which it has shown enough and takes the place of the old one."""
    interval: Duration = "1m"
    """Time between two steps, which the metrics of a step are taken from: at least four times what
    Prometheus lets pass between two scrapes."""
    threshold: Annotated[
        int, Field(ge=1, le=1000, strict=True), expected("a whole number, 1 or more")
    ] = 5
    """Failed checks, in sum, after which the release is rolled back. An interval in which the new
    version got no request counts as failed."""
    analysis: AnalysisSettings = AnalysisSettings()
    webhooks: tuple[WebhookSettings, ...] = ()

    def problems(self) -> Iterator[Problem]:
        if self.max % self.step:
            yield Problem(
                ("max",),
                f"{self.max} is not reached in steps of {self.step}; use a multiple, for example "
                f"{self.step * max(1, self.max // self.step)}",
            )
        if seconds(self.interval) < SHORTEST_INTERVAL:
            yield Problem(
                ("interval",),
                f"{self.interval} is below {SHORTEST_INTERVAL}s, the shortest that Flagger has",
            )
        names = [webhook.name for webhook in self.webhooks]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(
                    ("webhooks", str(index), "name"), f"{name} is there twice; rename one"
                )
