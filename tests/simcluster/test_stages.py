from __future__ import annotations

from typing import Any

from simcluster import stages


def stage(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchExpressions": []}}}


def test_only_the_readiness_of_pods_waits_for_istiod() -> None:
    gate = stages.gated(stage("pod-ready"))["spec"]["selector"]["matchExpressions"]
    assert len(gate) == 1
    assert stages.ISTIOD_SERVING in gate[0]["key"]
    assert stages.gated(stage("pod-delete")) == stage("pod-delete")
