"""Istio's view of a model's pods as a destination: a DestinationRule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.kubernetes import Manifest, manifest
from components.model.model import Model
from components.model.version import VERSIONS
from components.traffic import (
    Balancing,
    ConsistentHashBalancing,
    LeastRequestBalancing,
    TrafficSettings,
)

GROUP = "networking.istio.io/v1"

RING_SIZE = 4096
"""Places on the ring of a consistent hash, shared by the pods: enough for even shares of tens."""


def destination_rules(model: Model) -> tuple[Manifest, ...]:
    """How connections to the pods behave, and a subset for every version that may run.

    Also for a canary that is not there: a route that still names it must not break while it goes.
    """
    subsets = [{"name": name, "labels": {"version": name}} for name in VERSIONS]
    own = _destination_rule(model, model.service, model.service_host, subsets=subsets)
    if model.settings.progressive is None:
        return (own,)
    return (own, *_release_rules(model))


def _release_rules(model: Model) -> Iterator[Manifest]:
    """The same for the Services that Flagger makes, which have DestinationRules of Flagger's too:
    without a policy, so that the merged rule has this one."""
    for service in model.release_services[1:]:
        host = f"{service}.{model.namespace}.svc.cluster.local"
        yield _destination_rule(model, f"{service}-policy", host)


def _destination_rule(model: Model, name: str, host: str, **more: Any) -> Manifest:
    policy = traffic_policy(model.settings.traffic)
    spec = {"host": host, "trafficPolicy": policy} | more
    return manifest(GROUP, "DestinationRule", name, model.namespace, labels=model.labels, spec=spec)


def traffic_policy(traffic: TrafficSettings) -> dict[str, Any]:
    """What the proxies that call the pods do with connections, and how they choose a pod."""
    ejection, budget = traffic.outlier_detection, traffic.retries.budget
    retries = (
        {"retryBudget": {"percent": budget.percent, "minRetryConcurrency": budget.minimum}}
        if budget
        else {}
    )
    return {
        "loadBalancer": _load_balancer(traffic.balancing),
        "connectionPool": connection_pool(traffic),
        "outlierDetection": {
            "consecutive5xxErrors": ejection.consecutive_errors,
            "interval": ejection.interval,
            "baseEjectionTime": ejection.ejection_time,
            "maxEjectionPercent": ejection.max_ejected,
        },
    } | retries


def connection_pool(traffic: TrafficSettings) -> dict[str, Any]:
    pool = traffic.connection_pool
    http: dict[str, Any] = {
        "http1MaxPendingRequests": pool.max_pending_requests,
        "http2MaxRequests": pool.max_requests,
        "idleTimeout": traffic.timeouts.idle,
        "h2UpgradePolicy": "UPGRADE" if pool.http2_upgrade else "DO_NOT_UPGRADE",
    }
    if pool.max_requests_per_connection:
        http["maxRequestsPerConnection"] = pool.max_requests_per_connection
    tcp = {
        "maxConnections": pool.max_connections,
        "connectTimeout": traffic.timeouts.connect,
        # Load balancers and NATs forget connections on which a long prefill sends nothing.
        "tcpKeepalive": {"time": "300s", "interval": "30s"},
    }
    return {"tcp": tcp, "http": http}


def _load_balancer(balancing: Balancing) -> dict[str, Any]:
    if isinstance(balancing, ConsistentHashBalancing):
        # A ring and not a table, since a table moves more of the values when pods change.
        ring = {"minimumRingSize": RING_SIZE}
        return {"consistentHash": {"httpHeaderName": balancing.header, "ringHash": ring}}
    balancer: dict[str, Any] = {"simple": "LEAST_REQUEST"}
    if isinstance(balancing, LeastRequestBalancing) and balancing.warm_up:
        balancer["warmup"] = {"duration": balancing.warm_up}
    return balancer
