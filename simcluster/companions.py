"""Real programs that a test runs beside a simulated cluster, where a mock would prove nothing."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from simcluster import processes, toolchain
from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError

FLAGGER = "app.kubernetes.io/name=flagger"
"""Label of the Deployment that Flagger's chart makes."""


@contextmanager
def prometheus(cluster: SimulatedCluster, scrape_configs: list[dict[str, Any]]) -> Iterator[str]:
    """A Prometheus that scrapes these every second, for as long as the context: its URL.

    It finds no targets by itself: they are `static_configs`, or come by files or HTTP.
    """
    home = cluster.directory / "prometheus"
    home.mkdir(exist_ok=True)
    config = home / "prometheus.yml"
    intervals = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    content = {"global": intervals, "scrape_configs": scrape_configs}
    config.write_text(yaml.safe_dump(content, sort_keys=False))
    (port,) = processes.free_ports(1)
    url = f"http://127.0.0.1:{port}"
    arguments = [
        f"--config.file={config}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _running(cluster, "prometheus", arguments, port, "/-/ready"):
        yield url


@contextmanager
def flagger(cluster: SimulatedCluster) -> Iterator[None]:
    """The Flagger of the cluster's Deployment, as its chart made it, for as long as the context."""
    with cluster.api() as api:
        deployments = api.list("/apis/apps/v1/deployments", FLAGGER)
    if not deployments:
        raise SimulationError("Flagger is not deployed; install its chart first")
    (port,) = processes.free_ports(1)
    arguments = [
        *flagger_arguments(deployments[0]),
        f"-kubeconfig={cluster.kubeconfig}",
        f"-port={port}",
        # How soon a new Canary is taken up; a release goes by its own interval.
        "-control-loop-interval=1s",
    ]
    with _running(cluster, "flagger", arguments, port, "/healthz"):
        yield


def flagger_arguments(deployment: dict[str, Any]) -> list[str]:
    """What Flagger's Deployment runs it with, so that values of the chart have their effect."""
    _, *arguments = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
    return list(arguments)


@contextmanager
def _running(
    cluster: SimulatedCluster, name: str, arguments: list[str], port: int, path: str
) -> Iterator[None]:
    """Also ends with the cluster, which knows it by a path of the directory in its arguments."""
    program = toolchain.bin_dir(toolchain.COMPANIONS) / name
    with (cluster.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=cluster.directory,
            env={"HOME": str(cluster.directory)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(process, name, port, path)
        yield
    finally:
        process.kill()
        process.wait()


def _wait(
    process: subprocess.Popen[bytes], name: str, port: int, path: str, seconds: float = 30
) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SimulationError(f"{name} does not serve; its log in the cluster's logs says why")
