from __future__ import annotations

from typing import Any

import pytest

from gitops.rollout import _has_failed, _is_available, _is_awaited, _is_programmed


def deployment(replicas: int = 2, generation: int = 1, **status: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 1, **status},
    }


READY = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def test_a_rolled_out_deployment_is_available() -> None:
    assert _is_available(deployment(**READY))


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(deployment(generation=2, **READY), id="not observed yet"),
        pytest.param(deployment(**READY | {"updatedReplicas": 1}), id="not all updated"),
        pytest.param(deployment(**READY | {"replicas": 3}), id="an old pod is left"),
        pytest.param(deployment(**READY | {"availableReplicas": 1}), id="not all available"),
        pytest.param(deployment(), id="no pods"),
    ],
)
def test_a_rollout_in_progress_is_not_available(item: dict[str, Any]) -> None:
    assert not _is_available(item)


def test_a_deployment_scaled_to_zero_is_available() -> None:
    assert _is_available(deployment(replicas=0))


def test_a_deployment_that_another_controller_rolls_out_is_not_waited_for() -> None:
    assert _is_awaited(deployment())
    item = deployment()
    item["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    assert not _is_awaited(item)


def test_a_failure_of_the_generation_before_does_not_count() -> None:
    timed_out = [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]
    assert _has_failed(deployment(conditions=timed_out))
    assert not _has_failed(deployment(generation=2, conditions=timed_out))


def gateway(group: str, **conditions: str) -> dict[str, Any]:
    said = [{"type": name, "status": status} for name, status in conditions.items()]
    return {"apiVersion": f"{group}/v1", "kind": "Gateway", "status": {"conditions": said}}


@pytest.mark.parametrize(
    ("item", "programmed"),
    [
        (gateway("gateway.networking.k8s.io", Programmed="True"), True),
        (gateway("gateway.networking.k8s.io", Accepted="True", Programmed="False"), False),
        (gateway("gateway.networking.k8s.io"), False),
        # Istio's own kind of that name has no conditions.
        (gateway("networking.istio.io"), True),
    ],
)
def test_a_gateway_is_there_once_it_is_programmed(item: dict[str, Any], programmed: bool) -> None:
    assert _is_programmed(item) is programmed
