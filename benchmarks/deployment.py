"""`up` on the simulated cluster, first and again, beside plain helm and kubectl.

The baseline takes the same charts and the same manifests in the same order, in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cli.kubectl import PROGRAM, KubectlEngine
from cli.stack import Stack
from cli.target import SIMULATION, Target, find
from gitops import helm, stackfile
from gitops.cluster import Cluster
from gitops.manifests import Wave, in_waves
from gitops.record import record
from simcluster.cluster import SimulatedCluster


def run(stack: str = "local") -> list[str]:
    """The lines of the report. Each side gets a new simulated cluster, gone at the end."""
    found = Stack.find(stack)
    started, first, again = _on_new_cluster(found, _ours)
    _, plain, plain_again = _on_new_cluster(found, _plain)
    return [
        f"simulated cluster started in {started:.1f} s",
        "                        first s   again s",
        f"up                     {first:8.1f}  {again:8.1f}",
        f"helm, kubectl apply    {plain:8.1f}  {plain_again:8.1f}",
        f"ratio                  {first / plain:8.2f}  {again / plain_again:8.2f}",
    ]


def _on_new_cluster(
    stack: Stack, deploy: Callable[[Target], tuple[float, float]]
) -> tuple[float, float, float]:
    SimulatedCluster(SIMULATION).stop()
    try:
        begin = time.perf_counter()
        target = find(stack)
        started = time.perf_counter() - begin
        target.enter()
        return started, *deploy(target)
    finally:
        SimulatedCluster(SIMULATION).stop()


def _ours(target: Target) -> tuple[float, float]:
    engine = KubectlEngine(target)
    return _seconds(engine.up), _seconds(engine.up)


def _plain(target: Target) -> tuple[float, float]:
    waves = in_waves(record(PROGRAM, stackfile.read(target.stack.file)))
    cluster = target.cluster
    return _seconds(lambda: _install(cluster, waves)), _seconds(lambda: _apply(cluster, *waves))


def _seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _install(cluster: Cluster, waves: tuple[Wave, ...]) -> None:
    for wave in waves:
        for chart in wave.charts:
            helm.install(cluster, chart, Path())
        _apply(cluster, wave)
    cluster.check(
        cluster.run_kubectl(
            "wait", "--for=condition=Available", "deployments", "--all", "--all-namespaces"
        )
    )


def _apply(cluster: Cluster, *waves: Wave) -> None:
    objects = [item.content for wave in waves for item in wave.objects]
    if objects:
        cluster.check(
            cluster.run_kubectl("apply", "--server-side", "--filename=-", objects=objects)
        )
