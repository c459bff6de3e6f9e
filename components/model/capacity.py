"""How much one replica of a model takes, and what else has to fit that."""

from __future__ import annotations

from collections.abc import Iterator

from components.autoscaling import Autoscaling, QueueDepthAutoscaling
from components.model.runtimes.base import Runtime
from components.settings import Problem
from components.traffic import TrafficSettings
from components.types import seconds

MOST = 100_000
"""The largest number that a connection pool takes."""


def limit(traffic: TrafficSettings, runtime: Runtime) -> int | None:
    """Most requests that a replica has at once, running and waiting; None for no limit."""
    return traffic.concurrency.limit(runtime.sequences) if traffic.concurrency else None


def running_problems(traffic: TrafficSettings, runtime: Runtime) -> Iterator[Problem]:
    given, sequences = traffic.concurrency, runtime.sequences
    if given is None or "concurrency" not in traffic.model_fields_set:
        return
    path = ("traffic", "concurrency", "running")
    if sequences is None and given.running is None:
        yield Problem(
            path,
            "a custom server does not say how many requests it works on at once, and without that "
            "number there is no limit; set running, or leave concurrency out",
        )
    if sequences is not None and given.running is not None and given.running > sequences:
        yield Problem(
            path,
            f"the server works on {sequences} requests at once (runtime.maxSequences), and the "
            f"others of {given.running} would wait; lower running to that, and count those that "
            "may wait in queue",
        )


def queue_problems(
    traffic: TrafficSettings, runtime: Runtime, autoscaling: Autoscaling | None
) -> Iterator[Problem]:
    """For meshes that limit what a replica has at once.

    An autoscaler adds a replica at more than 110 % of its target: Kubernetes' own tolerance."""
    most, sequences = limit(traffic, runtime), runtime.sequences
    if not isinstance(autoscaling, QueueDepthAutoscaling) or most is None or sequences is None:
        return
    waiting = most - sequences
    needed = autoscaling.target * 11 // 10 + 1
    if waiting < needed:
        yield Problem(
            ("autoscaling", "target"),
            f"a replica has at most {max(waiting, 0)} requests waiting and refuses more "
            f"(traffic.concurrency), so that a target of {autoscaling.target} never adds a "
            f"replica; set traffic.concurrency.queue to at least {needed}, or lower target",
        )


def pool_problems(traffic: TrafficSettings, runtime: Runtime, replicas: int) -> Iterator[Problem]:
    """For meshes whose proxies limit what they have under way: one client proxy, such as a gateway
    pod, has to be able to keep all replicas at work, of which `replicas` is the most."""
    concurrency, pool = traffic.concurrency, traffic.connection_pool
    numbers = [concurrency.running if concurrency else None, runtime.sequences]
    running = min((number for number in numbers if number is not None), default=None)
    if running is None:
        return
    needed = min(running * replicas, MOST)
    each = {"maxRequests": pool.max_requests}
    if not pool.http2_upgrade:
        each["maxConnections"] = pool.max_connections
    for key, allowed in each.items():
        if allowed < needed:
            yield Problem(
                ("traffic", "connectionPool", key),
                f"{replicas} replicas work on {running} requests each, but one client proxy, such "
                f"as a gateway pod, may have {allowed} under way; raise {key} to {needed}",
            )


def drain_problem(traffic: TrafficSettings, drain_seconds: int) -> Problem | None:
    """A response that may begin just before its pod is to stop has to fit the time that is left."""
    response = traffic.timeouts.response
    if response is None or drain_seconds <= 0 or seconds(response) <= drain_seconds:
        return None
    more = int(seconds(response)) - drain_seconds
    return Problem(
        ("traffic", "timeouts", "response"),
        f"a response may take {response}, but a pod that is to stop has {drain_seconds}s for its "
        f"last ones; raise gracePeriod by {more}s, or lower timeouts.response",
    )
