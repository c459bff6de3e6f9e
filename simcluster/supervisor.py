"""The supervisor of istiod: a process, started by `up`, that follows the cluster until `down`.

It starts istiod with its Deployment, starts it again when that changes, ends it with the
Deployment, and lets the istiod pods become Ready once the process serves. Webhooks that no process
serves it silences.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from simcluster import processes, state, webhooks
from simcluster.api import Api, ApiError
from simcluster.controlplane import ControlPlane
from simcluster.istiod import SELECTOR, Istiod, Plan, find_plan, is_ready
from simcluster.reporting import say
from simcluster.stages import ISTIOD_SERVING
from simcluster.state import State

POLL_SECONDS = 0.25
RESTART_SECONDS = 1.0


def wait(api: Api, ports: dict[str, int], seconds: float = 20) -> None:
    """Wait until istiod is ready, where the cluster has one; until then its webhooks refuse."""
    deadline = time.monotonic() + seconds
    while api.list("/apis/apps/v1/deployments", SELECTOR) and not is_ready(ports):
        if time.monotonic() > deadline:
            say("istiod is deployed, but does not get ready; its log says why")
            return
        time.sleep(0.1)


def admit(api: Api, pods: list[dict[str, Any]], wanted: Plan) -> None:
    """Mark the istiod pods of the plan, so that kwok lets them become Ready."""
    for pod in pods:
        metadata = pod["metadata"]
        if (
            metadata["namespace"] == wanted.namespace
            and metadata["labels"].get("istio.io/rev") == wanted.revision
            and ISTIOD_SERVING not in metadata.get("annotations", {})
        ):
            path = f"/api/v1/namespaces/{wanted.namespace}/pods/{metadata['name']}"
            api.merge(path, {"metadata": {"annotations": {ISTIOD_SERVING: "true"}}})


def follow(
    directory: Path, known: State, istiod: Istiod | None, wanted: Plan | None
) -> Istiod | None:
    """The istiod that runs `wanted`: the one there is, another, or none."""
    if istiod and istiod.plan != wanted:
        say("istiod stops: its Deployment changed or is gone")
        istiod.stop()
        istiod = None
    if istiod and not istiod.is_alive():
        say("istiod ended by itself and starts again; see istiod.log")
        time.sleep(RESTART_SECONDS)
        istiod = None
    if wanted and istiod is None:
        say(f"istiod starts for revision {wanted.revision} in namespace {wanted.namespace}")
        istiod = Istiod(directory, known, wanted)
    return istiod


def supervise(directory: Path) -> None:
    """Follow the cluster in `directory` until that is gone, and let nothing of it outlive it."""
    known = State.load(directory)
    if known is None:
        return
    istiod: Istiod | None = None
    with ControlPlane(directory, known).api() as api:
        while state.file(directory).exists():
            try:
                for name in webhooks.silence(api):
                    say(f"no webhook of {name} is called: a pod would serve it")
                # Pods first: one that is listed is not newer than the Deployment listed after it.
                pods = api.list("/api/v1/pods", SELECTOR)
                istiod = follow(directory, known, istiod, find_plan(api))
                if istiod and istiod.is_serving(api):
                    admit(api, pods, istiod.plan)
            except (OSError, ApiError) as error:
                say(f"the API server does not answer: {error}")
                time.sleep(RESTART_SECONDS)
            time.sleep(POLL_SECONDS)
    processes.kill(directory)


def start(directory: Path) -> None:
    """Start the supervisor of the cluster in `directory`, as a process that outlives this one."""
    # A supervisor that was killed leaves its istiod behind.
    processes.kill(directory, frozenset({processes.ISTIOD}))
    package_parent = Path(__file__).parents[1]
    processes.start(
        [sys.executable, "-m", processes.SUPERVISOR, f"{directory}/"],
        {**os.environ, "PYTHONPATH": str(package_parent)},
        directory / "logs" / "supervisor.log",
    )


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
