"""What all tests share: no cluster unless a test asks for one, and one for all that do."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from simcluster.cluster import SimulatedCluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With xdist's `--dist loadgroup`, one worker runs all tests that share the cluster."""
    for item in items:
        if item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.xdist_group("cluster"))


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches the cluster that this machine happens to know; one that wants a cluster
    names it."""
    monkeypatch.setenv("KUBECONFIG", os.devnull)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedCluster]:
    """A simulated cluster, started for the first test that wants it and stopped at the end."""
    simulated = SimulatedCluster(tmp_path_factory.mktemp("cluster") / ".sim")
    try:
        simulated.start()
        yield simulated
    finally:
        simulated.stop()
