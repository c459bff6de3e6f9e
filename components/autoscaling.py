"""How many replicas of a model run: a HorizontalPodAutoscaler, or KEDA on the model's queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.kubernetes import Manifest, manifest, pod_pattern
from components.settings import Problem, Settings
from components.types import Count, Utilization

SCALE_DOWN_SECONDS = 300
"""How long the load must stay low before a replica goes: loading a model again takes minutes."""


class _Range(Settings):
    min: Count = 1
    """Fewest replicas."""
    max: Count
    """Most replicas; each takes its GPUs."""

    def problems(self) -> Iterator[Problem]:
        if self.min > self.max:
            yield Problem(
                ("min",), f"min {self.min} is above max {self.max}; lower min or raise max"
            )


class CpuAutoscaling(_Range):
    """On the CPU of the model's own container, the sidecar not counted.

    Plain, with nothing to install but metrics-server. A GPU server's CPU says little about its
    load: prefer queue-depth where the runtime has it.
    """

    signal: Literal["cpu"]
    target: Utilization = 70
    """Average use of the requested CPU, in percent."""


class QueueDepthAutoscaling(_Range):
    """On the requests that wait in the model servers' queues, by KEDA and Prometheus."""

    signal: Literal["queue-depth"] = "queue-depth"
    target: Count = 5
    """Waiting requests a replica."""


Autoscaling = Annotated[CpuAutoscaling | QueueDepthAutoscaling, Field(discriminator="signal")]


def autoscaler(
    settings: CpuAutoscaling | QueueDepthAutoscaling,
    *,
    name: str,
    namespace: str,
    container: str,
    labels: dict[str, str],
    queue_metric: str | None,
    prometheus: str | None,
) -> Manifest:
    """The object that scales Deployment `name`; `queue_metric` counts a pod's waiting requests, and
    `prometheus` is where it is asked."""
    if isinstance(settings, CpuAutoscaling):
        return _horizontal_pod_autoscaler(settings, name, namespace, container, labels)
    if queue_metric is None or prometheus is None:
        raise ValueError("queue-depth needs a runtime with a queue metric, and a Prometheus")
    return _scaled_object(settings, name, namespace, labels, queue_metric, prometheus)


def _behavior() -> dict[str, Any]:
    return {"scaleDown": {"stabilizationWindowSeconds": SCALE_DOWN_SECONDS}}


def _horizontal_pod_autoscaler(
    settings: CpuAutoscaling, name: str, namespace: str, container: str, labels: dict[str, str]
) -> Manifest:
    metric = {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": container,
            "target": {"type": "Utilization", "averageUtilization": settings.target},
        },
    }
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        name,
        namespace,
        labels=labels,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": settings.min,
            "maxReplicas": settings.max,
            "metrics": [metric],
            "behavior": _behavior(),
        },
    )


def _scaled_object(
    settings: QueueDepthAutoscaling,
    name: str,
    namespace: str,
    labels: dict[str, str],
    queue_metric: str,
    prometheus: str,
) -> Manifest:
    """https://keda.sh/docs/latest/reference/scaledobject-spec/

    With no answer from Prometheus the replicas stay as they are, and never below the minimum:
    a blind autoscaler must not take capacity away.
    """
    pods = pod_pattern(name)
    trigger = {
        "type": "prometheus",
        "name": "queue",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": prometheus,
            "query": f'sum({queue_metric}{{namespace="{namespace}",pod=~"{pods}"}})',
            "threshold": str(settings.target),
            # No series is no answer, not an empty queue.
            "ignoreNullValues": "false",
        },
    }
    return manifest(
        "keda.sh/v1alpha1",
        "ScaledObject",
        name,
        namespace,
        labels=labels,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicaCount": settings.min,
            "maxReplicaCount": settings.max,
            "pollingInterval": 15,
            "fallback": {
                "failureThreshold": 3,
                "replicas": settings.min,
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior()}},
            "triggers": [trigger],
        },
    )
