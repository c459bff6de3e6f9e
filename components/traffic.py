"""How calls to a model behave, whatever the mesh: timeouts, retries, pools, ejection, balancing.

The defaults are for token streams: no limit on the length of a response, no retry of a generation
that may have begun, connections kept, and pods chosen by outstanding requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.limits import (
    ConcurrencySettings,
    RateLimitSettings,
    RetryBudgetSettings,
    TokenBudgetSettings,
)
from components.settings import Problem, Settings
from components.types import (
    Count,
    Cpu,
    Duration,
    HeaderName,
    HeaderValue,
    Memory,
    ModelName,
    Percent,
    seconds,
)

RetryCondition = Literal["connect-failure", "refused-stream", "reset-before-request"]
"""Failures in which the server has not seen the request, so that repeating it is safe.

A 503 is not among them: a proxy also answers 503 when the server dies in the middle of a
generation, and a retry would run it twice (https://github.com/istio/istio/issues/50506).
https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
"""

NonNegative = Annotated[int, Field(ge=0, le=100_000, strict=True)]


class TimeoutSettings(Settings):
    """How long a caller waits, each for another thing."""

    connect: Duration = "5s"
    """For the TCP connection to a pod. Short: a pod that is gone should cost little."""
    first_byte: Duration | None = None
    """For the response to begin, per attempt. None waits as long as the queue is."""
    response: Duration | None = None
    """For the whole response. None, because it would cut a stream that still yields tokens
    (https://github.com/llm-d/llm-d-deployer/issues/339)."""
    idle: Duration = "5m"
    """For an unused connection to be kept. The model server keeps it a minute longer."""


class RetrySettings(Settings):
    """Which failed calls are tried again on another pod."""

    attempts: Annotated[int, Field(ge=0, le=10, strict=True)] = 2
    """Tries after the first; 0 for none."""
    conditions: tuple[RetryCondition, ...] = (
        "connect-failure",
        "refused-stream",
        "reset-before-request",
    )
    budget: RetryBudgetSettings | None = RetryBudgetSettings()
    """null for as many as `attempts` allows."""

    def problems(self) -> Iterator[Problem]:
        if self.attempts and not self.conditions:
            yield Problem(
                ("conditions",),
                "no failure is to be tried again, and a mesh would then choose its own; set "
                "attempts: 0 for no retries",
            )


class ConnectionPoolSettings(Settings):
    """What one client proxy may have open to the model."""

    max_connections: Count = 1024
    max_pending_requests: Count = 1024
    """Requests that wait for a connection; more are answered 503 at once."""
    max_requests: Count = 1024
    """Requests in flight."""
    max_requests_per_connection: NonNegative = 0
    """0 for no limit. A small number makes HTTP/2 clients reconnect all the time."""
    http2_upgrade: bool = False
    """Carry HTTP/1.1 requests over HTTP/2 between proxies."""


class OutlierDetectionSettings(Settings):
    """When a pod that fails is left out for a while: the circuit breaker."""

    consecutive_errors: Count = 5
    """5xx answers in a row."""
    interval: Duration = "10s"
    ejection_time: Duration = "30s"
    """First ejection; each further one is longer by the same."""
    max_ejected: Percent = 50
    """Of the pods: a fault that all share must not leave none."""


class LeastRequestBalancing(Settings):
    """The pod with the fewest outstanding requests of two picked at random, since generations
    differ in length by orders of magnitude (https://github.com/istio/istio/issues/45013)."""

    policy: Literal["least-request"] = "least-request"
    warm_up: Duration | None = "60s"
    """A new pod gets its full share only after this time; None gives it at once."""


class ConsistentHashBalancing(Settings):
    """The same pod for the same value of a header, so that it has the beginning of the prompt in
    its cache already. A pod that is added or goes moves few of the values."""

    policy: Literal["consistent-hash"]
    header: HeaderName
    """For example x-session-id, one value a conversation, or a hash of the system prompt that the
    caller sends. A request without it gets a pod at random; one value that most requests have
    puts them all on one pod."""


class EndpointPickerBalancing(Settings):
    """The pod that the inference extension's endpoint picker names, request by request, from the
    pods' queues, their KV caches and the prompts that they have seen. For requests through the
    gateway; callers inside the mesh get the pod with the fewest outstanding requests.
    https://gateway-api-inference-extension.sigs.k8s.io"""

    policy: Literal["endpoint-picker"]
    cpu: Cpu = "1"
    """Of the picker's pod. Its chart asks for 4, which suits thousands of requests a second."""
    memory: Memory = "2Gi"
    """Of the picker's pod, requested and limited."""


Balancing = Annotated[
    LeastRequestBalancing | ConsistentHashBalancing | EndpointPickerBalancing,
    Field(discriminator="policy"),
]
"""How a pod is chosen for a request."""


class MirrorSettings(Settings):
    """A copy of a part of the requests to another model, whose answers are thrown away.

    The other model works as hard as that part asks, for no user: the plan says how many GPUs.
    """

    model: ModelName
    """A model of this stack, for example one in namespace llm-staging."""
    percent: Annotated[int, Field(ge=1, le=100, strict=True)]
    """Share of the requests; required, since all of them would double the GPU bill."""
    side_effects: Literal["none"]
    """Says that requests to the other model change nothing elsewhere: no tools it calls, no
    records it writes, no bills. A mirrored POST is a real one."""


class FaultSettings(Settings):
    """A disturbance on purpose, to see what callers make of it. Refused in production."""

    percent: Annotated[int, Field(ge=1, le=100, strict=True)]
    """Share of the requests that it applies to."""
    delay: Duration | None = None
    """Time that a request is held."""
    abort: Annotated[int, Field(ge=400, le=599, strict=True)] | None = None
    """HTTP status to answer instead."""
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Only requests with these headers; empty for all."""
    force: ModelName | None = None
    """The model's own name, to allow it in a production stack."""

    def problems(self) -> Iterator[Problem]:
        if self.delay is None and self.abort is None:
            yield Problem((), "a fault needs a delay, an abort, or both")


class TrafficSettings(Settings):
    """The behaviour of calls to one model; each part may be overridden."""

    timeouts: TimeoutSettings = TimeoutSettings()
    retries: RetrySettings = RetrySettings()
    connection_pool: ConnectionPoolSettings = ConnectionPoolSettings()
    concurrency: ConcurrencySettings | None = ConcurrencySettings()
    """null for no limit."""
    rate_limit: RateLimitSettings | None = None
    token_budget: TokenBudgetSettings | None = None
    outlier_detection: OutlierDetectionSettings = OutlierDetectionSettings()
    balancing: Balancing = LeastRequestBalancing()
    mirror: MirrorSettings | None = None
    fault: FaultSettings | None = None

    @property
    def picker(self) -> EndpointPickerBalancing | None:
        """The endpoint picker, if one chooses the pods."""
        return self.balancing if isinstance(self.balancing, EndpointPickerBalancing) else None

    def problems(self) -> Iterator[Problem]:
        yield from self._retry_problems()
        if self.token_budget and self.picker:
            yield Problem(
                ("tokenBudget",),
                "tokens are counted between the gateway and the model, where an endpoint picker is "
                "not asked; use balancing.policy: least-request or consistent-hash, or remove this",
            )
        if self.connection_pool.max_pending_requests > self.connection_pool.max_requests:
            yield Problem(
                ("connectionPool", "maxPendingRequests"),
                f"{self.connection_pool.max_pending_requests} requests may wait but only "
                f"{self.connection_pool.max_requests} be in flight; raise maxRequests to at "
                "least as many",
            )

    def _retry_problems(self) -> Iterator[Problem]:
        """The tries must fit the whole: (attempts + 1) x first byte <= response."""
        whole, each = self.timeouts.response, self.timeouts.first_byte
        if each is not None and not self.retries.attempts:
            yield Problem(
                ("timeouts", "firstByte"),
                "firstByte bounds each try, and proxies apply it only where tries are counted; "
                "set retries.attempts to at least 1, or use timeouts.response",
            )
        if whole is None or each is None:
            return
        tries = self.retries.attempts + 1
        needed = tries * seconds(each)
        if needed > seconds(whole):
            yield Problem(
                ("timeouts", "response"),
                f"{tries} tries of {each} each need {needed:g}s, but the response has {whole}; "
                "raise timeouts.response, or lower timeouts.firstByte or retries.attempts",
            )
