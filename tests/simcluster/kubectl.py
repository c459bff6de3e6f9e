"""kubectl and helm of a simulated cluster."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from simcluster.cluster import SimulatedCluster


class Kubectl:
    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        return self.run("kubectl", *arguments, stdin=stdin)

    def run(self, tool: str, *arguments: str, stdin: str | None = None) -> str:
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)}
        answer = subprocess.run(
            [self.cluster.tools / tool, *arguments],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if answer.returncode:
            raise AssertionError(answer.stderr)
        return answer.stdout

    def helm(self, release: str, chart: str, namespace: str, *values: str) -> None:
        path = str(self.cluster.charts / chart)
        options = ("--wait", "--timeout=60s", "--create-namespace", "-n", namespace)
        self.run("helm", "upgrade", "--install", release, path, *options, *values)

    def read(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("get", *arguments, "-o", "json"))
        return found

    def eventually(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.2)
