from __future__ import annotations

from pathlib import Path

import pytest

from simcluster import companions
from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError


def test_flagger_runs_with_the_arguments_of_its_deployment() -> None:
    container = {"name": "flagger", "command": ["./flagger", "-mesh-provider=istio"]}
    deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
    assert companions.flagger_arguments(deployment) == ["-mesh-provider=istio"]


def test_a_companion_needs_a_cluster(tmp_path: Path) -> None:
    with (
        pytest.raises(SimulationError, match="`up` starts one"),
        companions.flagger(SimulatedCluster(tmp_path / ".sim")),
    ):
        pass
