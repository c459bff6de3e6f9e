"""How much callers may ask for: of a replica at once, of other pods again, and each in a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Count, Duration, HeaderName, Utilization, seconds

SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class ConcurrencySettings(Settings):
    """How many requests one replica takes at once, from all callers together.

    More are refused at once, with 429 and Retry-After: a queue without an end makes every caller
    wait past its own timeout, and the GPU generate for callers who have gone. 429 and not 503, of
    which a few in a row would have the busy pod left out (`outlierDetection`), and the others get
    its share too.
    """

    running: Count | None = None
    """Requests that the server works on at once. Default: the runtime's own number, for vLLM
    `runtime.maxSequences`. A custom server does not say its own: without this it has no limit."""
    queue: Annotated[int, Field(ge=0, le=100_000, strict=True)] | None = None
    """Requests that may wait in the server for those. Default: as many as `running`, so that the
    last of them waits about as long as one generation takes."""
    retry_after: Duration = "5s"
    """What a refused caller is told to wait, in whole seconds."""

    def problems(self) -> Iterator[Problem]:
        if seconds(self.retry_after) % 1:
            yield Problem(
                ("retryAfter",),
                f"the header Retry-After counts whole seconds, and {self.retry_after} is none; "
                f"use {math.ceil(seconds(self.retry_after))}s",
            )

    def limit(self, sequences: int | None) -> int | None:
        """Running and waiting requests together, for a runtime that runs so many sequences."""
        running = self.running or sequences
        if running is None:
            return None
        return running + (running if self.queue is None else self.queue)


class RetryBudgetSettings(Settings):
    """How many retries may be under way at once, so that they do not double the load on servers
    that fail because of it (https://sre.google/sre-book/handling-overload/)."""

    percent: Utilization = 20
    """Of the requests that one client proxy has under way."""
    minimum: Count = 3
    """Always allowed, for few requests have no fifth."""


class RateLimitSettings(Settings):
    """How many requests one caller may send; more are answered 429 at once, with Retry-After.

    Every proxy that counts does so for itself, at the gateway or beside the model: with two gateway
    pods, or two replicas for callers by identity, a caller may get twice as many.
    """

    requests: Count
    """In one `per`; a caller that was quiet may send them all at once."""
    per: Literal["second", "minute", "hour"] = "minute"
    by: Literal["header", "identity"] = "header"
    """What tells callers apart. header: at the gateway, by the value of `header`. identity: in the
    mesh, by the workload that calls."""
    header: HeaderName = "authorization"
    """All requests without it count as one caller. Callers who choose its value themselves can be
    many: use one that is checked, as the key of `apiKey` is, or that your own gateway sets."""

    def problems(self) -> Iterator[Problem]:
        if self.by == "identity" and "header" in self.model_fields_set:
            yield Problem(
                ("header",),
                "callers are told apart by their identity in the mesh, and no header is read; "
                "remove header, or use by: header",
            )

    @property
    def seconds(self) -> int:
        """The length of `per`."""
        return SECONDS[self.per]

    @property
    def retry_after(self) -> int:
        """Whole seconds until a caller that has used up its requests has another."""
        return math.ceil(self.seconds / self.requests)


class TokenBudgetSettings(Settings):
    """How many tokens one caller may use, of prompts and answers together, through the gateway.

    Counted by Envoy AI Gateway over all its pods, by the `usage` that every answer ends with. A
    caller who has used them up is answered 429 until the time is over. The last answer may overdraw
    the budget: what it costs is known when it has ended.
    """

    tokens: Annotated[int, Field(ge=1, le=4_294_967_295, strict=True)]
    """In one `per`; at most what the rate limit service can count."""
    per: Literal["minute", "hour", "day"] = "hour"
    """Of the clock, not since the first request: all budgets are new at its beginning."""
    header: HeaderName
    """Its value tells callers apart; all requests without it are one caller. No default, since a
    header that callers choose is no identity: name one that your authenticating proxy sets, and
    removes from what comes in. Its values are keys in Redis, where `authorization` would put the
    callers' keys in plain text."""
