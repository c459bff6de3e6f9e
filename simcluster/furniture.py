"""What a simulated cluster holds from its start: nodes, storage, and CRDs of other projects."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from simcluster import nodes, storage, toolchain
from simcluster.api import Api
from simcluster.controlplane import ControlPlane
from simcluster.crds import CRDS
from simcluster.reporting import SimulationError

NODES = "/api/v1/nodes"
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def kubernetes_version() -> str:
    """The version of every component, such as `v1.36.3`."""
    return toolchain.TOOLS[0].version


def install(plane: ControlPlane, kubectl: Path) -> None:
    """Install storage and CRDs into a new cluster."""
    with ThreadPoolExecutor() as pool, plane.api() as api:
        sources = [pool.submit(source.documents, kubectl) for source in CRDS]
        api.create("/apis/storage.k8s.io/v1/storageclasses", storage.storage_class())
        for volume in storage.volumes():
            api.create("/api/v1/persistentvolumes", volume)
        for source in sources:
            for document in source.result():
                api.create(CRD_PATH, document)


def apply_nodes(plane: ControlPlane, shapes: nodes.Nodes) -> None:
    """Make the nodes of the cluster those of `shapes`, and wait until they are Ready."""
    wanted = {node["metadata"]["name"]: node for node in shapes.manifests(kubernetes_version())}
    with plane.api() as api:
        for node in api.list(NODES):
            name, annotations = node["metadata"]["name"], node["metadata"]["annotations"]
            shape = wanted.get(name, node)["metadata"]["annotations"].get(nodes.SHAPE)
            if name not in wanted or annotations.get(nodes.SHAPE) != shape:
                api.delete(f"{NODES}/{name}")
        for node in wanted.values():
            api.create(NODES, node)
        _wait_until_ready(api, len(wanted))


def _wait_until_ready(api: Api, count: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while (ready := sum(map(_is_ready, api.list(NODES)))) < count:
        if time.monotonic() > deadline:
            raise SimulationError(f"{ready} of {count} nodes are ready after {seconds:g} s")
        time.sleep(0.1)


def _is_ready(node: dict[str, Any]) -> bool:
    """The controller manager takes the taint of a new node away once it has seen it Ready."""
    taints = {taint["key"] for taint in node["spec"].get("taints", [])}
    return "node.kubernetes.io/not-ready" not in taints
