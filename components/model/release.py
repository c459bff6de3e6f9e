"""How a model is released step by step: Flagger's Canary, and the metrics that it judges by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.kubernetes import Manifest, manifest, pod_pattern
from components.mesh.protocol import Delivery
from components.model.model import Model
from components.model.objects import progress_seconds, scaler
from components.progressive import ProgressiveSettings
from components.types import seconds

GROUP = "flagger.app/v1beta1"


@dataclass(frozen=True)
class Measure:
    """One thing that a new version is judged by."""

    name: str
    query: str
    """PromQL; Flagger puts the interval in the place of `{{ interval }}`."""
    least: float | None = None
    most: float | None = None

    @property
    def bounds(self) -> dict[str, float]:
        given = {"min": self.least, "max": self.most}
        return {key: value for key, value in given.items() if value is not None}


def release(model: Model, delivery: Delivery) -> list[Manifest]:
    """The model's Canary and its metrics; none where the model is not delivered progressively."""
    settings = model.settings.progressive
    if settings is None:
        return []
    measures = list(_measures(model, settings, delivery))
    templates = [_template(model, measure) for measure in measures]
    return [*templates, _canary(model, settings, delivery, measures)]


def _measures(model: Model, settings: ProgressiveSettings, delivery: Delivery) -> Iterator[Measure]:
    """Of the pods of the new version alone: those of the Deployment, not of its copy."""
    asked, runtime = settings.analysis, model.settings.runtime
    pods = f'namespace="{model.namespace}",pod=~"{pod_pattern(model.name)}"'
    if asked.success_rate is not None:
        yield Measure("success-rate", delivery.success_rate, least=asked.success_rate)
    if asked.first_token and runtime.first_token_metric:
        query = _quantile(runtime.first_token_metric, pods)
        yield Measure("first-token", query, most=seconds(asked.first_token))
    if asked.inter_token and runtime.inter_token_metric:
        query = _quantile(runtime.inter_token_metric, pods)
        yield Measure("inter-token", query, most=seconds(asked.inter_token))
    if asked.queue_depth is not None and runtime.queue_metric:
        query = f"avg(avg_over_time({runtime.queue_metric}{{{pods}}}[{{{{ interval }}}}]))"
        yield Measure("queue-depth", query, most=asked.queue_depth)


def _quantile(histogram: str, pods: str) -> str:
    rate = f"rate({histogram}_bucket{{{pods}}}[{{{{ interval }}}}])"
    return f"histogram_quantile(0.95, sum by (le) ({rate}))"


def _template(model: Model, measure: Measure) -> Manifest:
    return manifest(
        GROUP,
        "MetricTemplate",
        f"{model.name}-{measure.name}",
        model.namespace,
        labels=model.labels,
        spec={
            "provider": {"type": "prometheus", "address": model.prometheus},
            "query": measure.query,
        },
    )


def _canary(
    model: Model, settings: ProgressiveSettings, delivery: Delivery, measures: list[Measure]
) -> Manifest:
    return manifest(
        GROUP,
        "Canary",
        model.name,
        model.namespace,
        labels=model.labels,
        spec={
            "provider": delivery.provider,
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": model.name},
            "autoscalerRef": _autoscaler(model),
            "progressDeadlineSeconds": progress_seconds(model),
            "service": {
                "name": model.release_service,
                "port": model.port,
                "targetPort": "http",
                "portName": "http",
                "appProtocol": "http",
                **delivery.service,
            },
            "analysis": {
                "interval": settings.interval,
                "threshold": settings.threshold,
                "stepWeight": settings.step,
                "maxWeight": settings.max,
                "metrics": [_metric(model, settings, measure) for measure in measures],
                "webhooks": _webhooks(settings),
            },
        },
    )


def _metric(model: Model, settings: ProgressiveSettings, measure: Measure) -> dict[str, Any]:
    template = {"name": f"{model.name}-{measure.name}", "namespace": model.namespace}
    return {
        "name": measure.name,
        "interval": settings.interval,
        "templateRef": template,
        "thresholdRange": measure.bounds,
    }


def _webhooks(settings: ProgressiveSettings) -> list[dict[str, Any]]:
    return [
        {
            "name": webhook.name,
            "type": webhook.kind,
            "url": str(webhook.url),
            "timeout": webhook.timeout,
            "metadata": webhook.metadata,
        }
        for webhook in settings.webhooks
    ]


def _autoscaler(model: Model) -> dict[str, Any]:
    """The Deployment's autoscaler, of which Flagger makes a copy for the pods that serve.

    It would copy a query by replacing the Deployment's name, which in a pattern of pods is written
    otherwise: the copy's query is given.
    """
    own = scaler(model, model.stable, model.name)
    copy = scaler(model, model.stable, model.primary)
    queries = {
        trigger["name"]: trigger["metadata"]["query"]
        for trigger in copy["spec"].get("triggers", [])
    }
    reference = {
        "apiVersion": own["apiVersion"],
        "kind": own["kind"],
        "name": own["metadata"]["name"],
    }
    return reference | ({"primaryScalerQueries": queries} if queries else {})
