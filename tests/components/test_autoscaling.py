from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from components.autoscaling import Autoscaling, autoscaler
from components.kubernetes import Manifest


def settings(**given: Any) -> Any:
    return TypeAdapter(Autoscaling).validate_python(given)


def scaler(queue_metric: str | None = "vllm:num_requests_waiting", **given: Any) -> Manifest:
    return autoscaler(
        settings(**given),
        name="deepseek-r1-1.5b",
        namespace="ai-inference",
        container="model",
        labels={"app": "deepseek-r1-1.5b"},
        queue_metric=queue_metric,
        prometheus="http://prometheus.monitoring:9090",
    )


def query(manifest: Manifest) -> str:
    return str(manifest["spec"]["triggers"][0]["metadata"]["query"])


def test_cpu_is_of_the_models_container_and_not_of_the_sidecar() -> None:
    spec = scaler(signal="cpu", min=2, max=10, target=70)["spec"]
    assert spec["metrics"] == [
        {
            "type": "ContainerResource",
            "containerResource": {
                "name": "cpu",
                "container": "model",
                "target": {"type": "Utilization", "averageUtilization": 70},
            },
        }
    ]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)


def test_cpu_target_is_70_percent_by_default() -> None:
    metric = scaler(signal="cpu", max=2)["spec"]["metrics"][0]
    assert metric["containerResource"]["target"]["averageUtilization"] == 70


@pytest.mark.parametrize("target", [0, 101])
def test_a_cpu_target_that_kubernetes_refuses_is_refused(target: int) -> None:
    with pytest.raises(ValidationError, match="target"):
        settings(signal="cpu", max=2, target=target)


def test_the_queue_is_counted_over_the_pods_of_this_deployment_alone() -> None:
    counted = query(scaler(signal="queue-depth", max=4))
    assert counted == (
        'sum(vllm:num_requests_waiting{namespace="ai-inference",'
        'pod=~"deepseek-r1-1[.]5b-[a-z0-9]+-[a-z0-9]+"})'
    )


def test_the_queue_is_an_average_over_replicas() -> None:
    trigger = scaler(signal="queue-depth", max=4, target=8)["spec"]["triggers"][0]
    assert trigger["metricType"] == "AverageValue"
    assert trigger["metadata"]["threshold"] == "8"


def test_a_blind_autoscaler_takes_no_capacity_away() -> None:
    fallback = scaler(signal="queue-depth", min=2, max=4)["spec"]["fallback"]
    assert fallback["behavior"] == "currentReplicasIfHigher"
    assert fallback["replicas"] == 2


def test_no_series_is_no_answer_and_not_an_empty_queue() -> None:
    trigger = scaler(signal="queue-depth", max=4)["spec"]["triggers"][0]
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_no_time_is_set_that_matters_only_to_scaling_to_zero() -> None:
    assert "cooldownPeriod" not in scaler(signal="queue-depth", max=4)["spec"]


def test_the_queue_needs_a_metric() -> None:
    with pytest.raises(ValueError, match="queue metric"):
        scaler(queue_metric=None, signal="queue-depth", max=4)


@pytest.mark.parametrize("signal", ["cpu", "queue-depth"])
def test_both_kinds_scale_the_deployment_and_scale_down_slowly(signal: str) -> None:
    spec = scaler(signal=signal, max=4)["spec"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "deepseek-r1-1.5b"}
    assert spec["scaleTargetRef"] == target
    config = spec if signal == "cpu" else spec["advanced"]["horizontalPodAutoscalerConfig"]
    assert config["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_min_above_max_is_refused_with_both() -> None:
    (problem,) = settings(signal="cpu", min=5, max=3).problems()
    assert problem.path == ("min",)
    assert "min 5 is above max 3" in problem.message


def test_min_equal_to_max_is_a_fixed_number() -> None:
    assert list(settings(signal="cpu", min=3, max=3).problems()) == []
