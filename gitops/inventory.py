"""What `up` has made in a cluster, kept there, so that later runs can prune and delete it.

kubectl's ApplySet prunes within one apply, in alpha, and knows no Helm releases. Our waves are
several applies with releases between them, so one ConfigMap lists both, in the order of waves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gitops.cluster import Cluster
from gitops.manifests import Chart, Key, KubernetesObject, Wave

NAMESPACE = "kube-system"
"""In every cluster, and deleted by nobody."""


@dataclass(frozen=True)
class ObjectEntry:
    """An object that was applied."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        return Key(self.api_version.rpartition("/")[0], self.kind, self.namespace, self.name)

    @property
    def reference(self) -> dict[str, Any]:
        """What kubectl needs to find it."""
        metadata = {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}

    def __str__(self) -> str:
        return str(self.key)


@dataclass(frozen=True)
class ReleaseEntry:
    """A release that was installed: from what (`digest`), and as which revision; 0 if it is due."""

    namespace: str
    release: str
    digest: str = ""
    revision: int = 0

    @property
    def key(self) -> Key:
        return Key("helm.sh", "release", self.namespace, self.release)

    def __str__(self) -> str:
        return str(self.key)


Entry = ObjectEntry | ReleaseEntry
Inventory = tuple[tuple[Entry, ...], ...]
"""Entries by wave."""


def read(cluster: Cluster, stack: str) -> Inventory:
    """The inventory of a stack, empty if nothing was ever deployed."""
    kept = cluster.get("configmap", _name(stack), f"--namespace={NAMESPACE}")
    if not kept:
        return ()
    return tuple(
        tuple(
            ReleaseEntry(**entry) if "release" in entry else ObjectEntry(**entry) for entry in wave
        )
        for wave in json.loads(kept["data"]["waves"])
    )


def save(cluster: Cluster, stack: str, inventory: Inventory) -> None:
    """Write the inventory of a stack."""
    waves = [[asdict(entry) for entry in wave] for wave in inventory if wave]
    cluster.apply([_object(stack) | {"data": {"waves": json.dumps(waves)}}])


def delete(cluster: Cluster, stack: str) -> None:
    """Forget a stack, of which nothing is left."""
    cluster.delete([_object(stack)])


def of(waves: tuple[Wave, ...], releases: dict[Key, ReleaseEntry]) -> Inventory:
    """The inventory of these waves, with each release as it is in `releases`."""
    return tuple(
        tuple(_release(chart, releases) for chart in wave.charts)
        + tuple(_entry(item) for item in wave.objects)
        for wave in waves
    )


def without(inventory: Inventory, others: Inventory) -> Inventory:
    """What is in the one and not in the other."""
    kept = {entry.key for wave in others for entry in wave}
    return tuple(tuple(entry for entry in wave if entry.key not in kept) for wave in inventory)


def releases(inventory: Inventory) -> dict[Key, ReleaseEntry]:
    """The releases among the entries."""
    entries = (entry for wave in inventory for entry in wave)
    return {entry.key: entry for entry in entries if isinstance(entry, ReleaseEntry)}


def digest(chart: Chart, directory: Path) -> str:
    """Changes when the chart, its version or its values do; `directory` holds chart folders."""
    state = hashlib.sha256()
    told = [chart.chart, chart.version, chart.repo, chart.values, chart.skip_crds]
    state.update(json.dumps(told, sort_keys=True).encode())
    if chart.is_local:
        folder = directory / chart.chart
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = file.read_bytes()
            state.update(f"\0{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return state.hexdigest()[:32]


def _release(chart: Chart, releases: dict[Key, ReleaseEntry]) -> ReleaseEntry:
    entry = ReleaseEntry(chart.namespace, chart.name)
    return releases.get(entry.key, entry)


def _entry(item: KubernetesObject) -> ObjectEntry:
    key = item.key
    return ObjectEntry(item.content["apiVersion"], key.kind, key.namespace, key.name)


def _name(stack: str) -> str:
    return f"inference-mesh-{stack}"


def _object(stack: str) -> dict[str, Any]:
    return ObjectEntry("v1", "ConfigMap", NAMESPACE, _name(stack)).reference
