"""The features of a model in which meshes differ: a mesh has each, or says why not.

A mesh's `capabilities.LACKS` maps the features that it cannot do to the reason and the nearest
alternative. The settings refuse them, docs/meshes.md shows them, and the tests try each on every
mesh, all from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.settings import Settings

Lacks = Mapping[str, str]
"""Names of features, and why the mesh does not have them and what to use instead."""


@dataclass(frozen=True)
class Feature:
    """A setting of a model that not every mesh can realise."""

    path: str
    """Below the model, as in a stack file: `traffic.mirror`."""
    title: str
    value: str | None = None
    """Where one value of the setting is the feature; None where any but the default is."""

    @property
    def name(self) -> str:
        return self.path if self.value is None else f"{self.path}={self.value}"

    def used(self, model: Settings) -> bool:
        """Whether the model's settings ask for it: what they leave at its default does not."""
        *parents, field = (_attribute(key) for key in self.path.split("."))
        owner: object = model
        for parent in parents:
            owner = getattr(owner, parent, None)
        known = type(owner).model_fields if isinstance(owner, Settings) else {}
        if field not in known:
            return False
        value = getattr(owner, field)
        if self.value is not None:
            return bool(value == self.value)
        return bool(value != known[field].get_default(call_default_factory=True))


def _attribute(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


FEATURES = (
    Feature("canary", "canary by weight"),
    Feature("canary.headers", "A/B test by header"),
    Feature("canary.sticky", "A/B test by user, kept by a cookie"),
    Feature("progressive", "releases step by step, by metrics"),
    Feature("traffic.timeouts.firstByte", "timeout for the first byte"),
    Feature("traffic.timeouts.response", "timeout for the whole response"),
    Feature("traffic.timeouts.connect", "timeout for connections"),
    Feature("traffic.timeouts.idle", "timeout for idle connections"),
    Feature("traffic.retries.attempts", "number of retries"),
    Feature("traffic.retries.conditions", "choice of what is retried"),
    Feature("traffic.retries.budget.percent", "share of retries among the requests"),
    Feature("traffic.retries.budget.minimum", "retries that are always allowed"),
    Feature("traffic.concurrency.running", "requests that a replica works on"),
    Feature("traffic.concurrency.queue", "requests that wait in a replica"),
    Feature("traffic.concurrency.retryAfter", "time after which refused callers try again"),
    Feature("traffic.rateLimit.by", "rate limit for a caller, by header", "header"),
    Feature("traffic.rateLimit.by", "rate limit for a caller, by identity", "identity"),
    Feature("traffic.rateLimit.per", "rate limit by the minute", "minute"),
    Feature("traffic.rateLimit.per", "rate limit by the hour", "hour"),
    Feature("traffic.tokenBudget", "budget of tokens for a caller, by header"),
    Feature("traffic.connectionPool", "limits of connections and requests"),
    Feature("traffic.connectionPool.http2Upgrade", "HTTP/2 for calls that come as HTTP/1.1"),
    Feature("traffic.outlierDetection.consecutiveErrors", "leaving out pods that fail"),
    Feature("traffic.outlierDetection.ejectionTime", "how long they are left out"),
    Feature("traffic.outlierDetection.interval", "how often pods are judged"),
    Feature("traffic.outlierDetection.maxEjected", "a share of pods that is never left out"),
    Feature("traffic.balancing.policy", "the same pod for the same header", "consistent-hash"),
    Feature("traffic.balancing.policy", "pods chosen by an endpoint picker", "endpoint-picker"),
    Feature("traffic.balancing.warmUp", "warm-up of new pods"),
    Feature("route.byModel", "models told apart by the request's body"),
    Feature("traffic.mirror", "mirrored traffic"),
    Feature("traffic.fault.abort", "injected errors"),
    Feature("traffic.fault.delay", "injected delays"),
)
