"""A use of every feature in which meshes differ, and the meshes on which each is tried.

An entry has the settings of a model with the feature and those next to it without, so that what
differs between the two is the feature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.components.samples import NAME, model_settings, stack_mapping

MESHES: dict[str, dict[str, Any]] = {
    "istio": {"kind": "istio"},
    "istio, dataPlane: ambient": {"kind": "istio", "dataPlane": "ambient"},
    "linkerd": {"kind": "linkerd"},
}
"""The `mesh` of a stack, by the title of the documentation."""

CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
OTHER = "staging"
"""A second model, in another namespace."""


@dataclass(frozen=True)
class Use:
    """Settings of a model."""

    given: dict[str, Any]
    """With the feature."""
    without: dict[str, Any] = field(default_factory=dict)


def _traffic(**settings: Any) -> dict[str, Any]:
    return {"traffic": settings}


def _ejection(**settings: Any) -> dict[str, Any]:
    return _traffic(outlierDetection=settings)


def _fault(**settings: Any) -> dict[str, Any]:
    return _traffic(fault={"percent": 10, "force": NAME, **settings})


USES = {
    "canary": Use({"canary": CANARY}),
    "canary.headers": Use(
        {"canary": CANARY | {"headers": {"x-model-version": "canary"}}}, {"canary": CANARY}
    ),
    "canary.sticky": Use({"canary": CANARY | {"sticky": True}}, {"canary": CANARY}),
    "progressive": Use({"progressive": {}}),
    "traffic.timeouts.firstByte": Use(_traffic(timeouts={"firstByte": "10s"})),
    "traffic.timeouts.response": Use(_traffic(timeouts={"response": "100s"})),
    "traffic.timeouts.connect": Use(_traffic(timeouts={"connect": "2s"})),
    "traffic.timeouts.idle": Use(_traffic(timeouts={"idle": "10m"})),
    "traffic.retries.attempts": Use(_traffic(retries={"attempts": 1})),
    "traffic.retries.conditions": Use(_traffic(retries={"conditions": ["connect-failure"]})),
    "traffic.retries.budget.percent": Use(_traffic(retries={"budget": {"percent": 50}})),
    "traffic.retries.budget.minimum": Use(_traffic(retries={"budget": {"minimum": 10}})),
    "traffic.concurrency.running": Use(_traffic(concurrency={"running": 16})),
    "traffic.concurrency.queue": Use(_traffic(concurrency={"queue": 4})),
    "traffic.concurrency.retryAfter": Use(_traffic(concurrency={"retryAfter": "30s"})),
    "traffic.rateLimit.by=header": Use(_traffic(rateLimit={"requests": 60})),
    "traffic.rateLimit.per=minute": Use(
        _traffic(rateLimit={"requests": 60}), _traffic(rateLimit={"requests": 60, "per": "second"})
    ),
    "traffic.rateLimit.per=hour": Use(
        _traffic(rateLimit={"requests": 60, "per": "hour"}), _traffic(rateLimit={"requests": 60})
    ),
    "traffic.rateLimit.by=identity": Use(
        _traffic(rateLimit={"requests": 60, "per": "second", "by": "identity"})
    ),
    "traffic.tokenBudget": Use(_traffic(tokenBudget={"tokens": 100_000, "header": "x-user-id"})),
    "traffic.connectionPool": Use(_traffic(connectionPool={"maxConnections": 100})),
    "traffic.connectionPool.http2Upgrade": Use(_traffic(connectionPool={"http2Upgrade": True})),
    "traffic.outlierDetection.consecutiveErrors": Use(_ejection(consecutiveErrors=3)),
    "traffic.outlierDetection.ejectionTime": Use(_ejection(ejectionTime="1m")),
    "traffic.outlierDetection.interval": Use(_ejection(interval="20s")),
    "traffic.outlierDetection.maxEjected": Use(_ejection(maxEjected=20)),
    "traffic.balancing.warmUp": Use(
        _traffic(balancing={"policy": "least-request", "warmUp": "5m"})
    ),
    "traffic.balancing.policy=consistent-hash": Use(
        _traffic(balancing={"policy": "consistent-hash", "header": "x-session-id"})
    ),
    "traffic.balancing.policy=endpoint-picker": Use(
        _traffic(balancing={"policy": "endpoint-picker"})
    ),
    "route.byModel": Use({"route": {"byModel": True}}),
    "traffic.mirror": Use(_traffic(mirror={"model": OTHER, "percent": 5, "sideEffects": "none"})),
    "traffic.fault.abort": Use(_fault(abort=503)),
    "traffic.fault.delay": Use(_fault(abort=503, delay="5s"), _fault(abort=503)),
}


def stack(mesh: str, model: dict[str, Any]) -> dict[str, Any]:
    """A stack on a mesh with this model."""
    models = {
        NAME: model_settings(**model),
        OTHER: model_settings(namespace="llm-staging", route=None),
    }
    return stack_mapping(models, mesh=MESHES[mesh])
