"""What a deployment would change in a cluster."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitops import inventory
from gitops.cluster import FIELD_MANAGER, Cluster, RefusedError
from gitops.inventory import Inventory, ReleaseEntry
from gitops.manifests import Key, KubernetesObject, Wave

Action = Literal["create", "update", "delete"]
_SIGNS = {"create": "+", "update": "~", "delete": "-"}


@dataclass(frozen=True)
class LiveRelease:
    """The newest revision of a release in the cluster."""

    revision: int
    status: str
    """Helm's word for it: deployed, failed, pending-install, ..."""


@dataclass(frozen=True)
class Change:
    """One line of a plan; `details` are the fields that differ, as far as they are known."""

    action: Action
    key: Key
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        details = f" ({', '.join(self.details)})" if self.details else ""
        return f"{_SIGNS[self.action]} {self.key}{details}"


@dataclass(frozen=True)
class State:
    """What is in a cluster before anything is done."""

    inventory: Inventory
    releases: dict[Key, LiveRelease]
    kinds: frozenset[tuple[str, str]]
    """Group and kind of all that the API server serves."""
    namespaces: frozenset[str]

    def has_kind(self, key: Key) -> bool:
        """Whether the API server serves objects of this kind."""
        return (key.group, key.kind) in self.kinds

    def can_hold(self, key: Key) -> bool:
        """Whether the namespace and the kind of an object exist."""
        return self.has_kind(key) and (not key.namespace or key.namespace in self.namespaces)


@dataclass(frozen=True)
class Plan:
    """All changes, in the order in which they are made."""

    changes: tuple[Change, ...]
    total: int
    """How many objects and releases the program has."""

    def __contains__(self, key: Key) -> bool:
        return any(change.key == key for change in self.changes)

    def lines(self) -> list[str]:
        """For a person: one line a change, and the counts."""
        count = Counter(change.action for change in self.changes)
        unchanged = self.total - count["create"] - count["update"]
        return [str(change) for change in self.changes] + [
            f"{count['create']} to create, {count['update']} to update, "
            f"{count['delete']} to delete, {unchanged} unchanged"
        ]


def look(cluster: Cluster, stack: str) -> State:
    """Read the state of the cluster. Raises GitopsError if it does not answer."""
    with ThreadPoolExecutor() as pool:
        kept = pool.submit(inventory.read, cluster, stack)
        secrets = pool.submit(
            cluster.table, "get", "secrets", "-A", "-l=owner=helm", "-L=name,version,status"
        )
        kinds = pool.submit(cluster.table, "api-resources")
        namespaces = pool.submit(cluster.table, "get", "namespaces")
        return State(
            kept.result(),
            _newest(secrets.result()),
            frozenset((row[-3].rpartition("/")[0], row[-1]) for row in kinds.result()),
            frozenset(row[0] for row in namespaces.result()),
        )


def plan(
    cluster: Cluster, state: State, waves: tuple[Wave, ...], directory: Path, strict: bool
) -> Plan:
    """What deploying `waves` would change; `directory` is where chart folders are relative to.

    Raises RefusedError for objects that the API server would not take. If it cannot tell, because
    an admission webhook does not answer, `strict` raises too; otherwise those objects count as
    changed, so that a deployment can bring back what serves the webhook.
    """
    objects = [item for wave in waves for item in wave.objects]
    comparable = [item for item in objects if state.can_hold(item.key)]
    differing = _differing(cluster, comparable, strict)
    done = inventory.releases(state.inventory)
    changes: list[Change] = []
    for wave in waves:
        for chart in wave.charts:
            due = ReleaseEntry(chart.namespace, chart.name, inventory.digest(chart, directory))
            if action := _release_action(due, done.get(due.key), state.releases.get(due.key)):
                changes.append(Change(action, due.key, (f"chart {chart.version or 'latest'}",)))
        for item in wave.objects:
            if not state.can_hold(item.key):
                changes.append(Change("create", item.key))
            elif item.key in differing:
                changes.append(differing[item.key])
    gone = inventory.without(state.inventory, inventory.of(waves, {}))
    changes += [Change("delete", entry.key) for wave in reversed(gone) for entry in reversed(wave)]
    return Plan(tuple(changes), len(objects) + sum(len(wave.charts) for wave in waves))


def _release_action(
    due: ReleaseEntry, done: ReleaseEntry | None, live: LiveRelease | None
) -> Action | None:
    if live is None:
        return "create"
    as_left = done and live == LiveRelease(done.revision, "deployed")
    return None if as_left and done and done.digest == due.digest else "update"


def _newest(rows: list[list[str]]) -> dict[Key, LiveRelease]:
    """From rows that end in a release's name, revision and status."""
    newest: dict[Key, LiveRelease] = {}
    for namespace, *_, name, revision, status in rows:
        key = ReleaseEntry(namespace, name).key
        release = LiveRelease(int(revision), status)
        if key not in newest or newest[key].revision < release.revision:
            newest[key] = release
    return newest


def _differing(cluster: Cluster, items: list[KubernetesObject], strict: bool) -> dict[Key, Change]:
    if not items:
        return {}
    contents = [item.content for item in items]
    answer = cluster.run_kubectl(
        "diff", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}",
        "--concurrency=4", "-f=-",
        objects=contents,
    )  # fmt: skip
    if answer.code <= 1:
        return differences(answer.text, items)
    try:
        cluster.apply(contents, dry_run=True)
    except RefusedError as error:
        if strict or not _WEBHOOK_SILENT.search(str(error)):
            raise
    return {item.key: Change("update", item.key, ("could not be compared",)) for item in items}


_WEBHOOK_SILENT = re.compile(r"failed calling webhook|no endpoints available for service")


def differences(text: str, items: list[KubernetesObject]) -> dict[Key, Change]:
    """The changes in what `kubectl diff` printed for these objects."""
    names = {_diff_name(item): item.key for item in items}
    changes: dict[Key, Change] = {}
    for part in re.split(r"^diff .*$\n", text, flags=re.MULTILINE)[1:]:
        header, _, body = part.partition("\n@@ ")
        name = header.splitlines()[0].split("\t")[0].rpartition("/")[2]
        if key := names.get(name):
            is_new = body.startswith("-0,0 ")
            changes[key] = Change("create", key) if is_new else _update(key, body)
    return changes


def _update(key: Key, body: str) -> Change:
    """With the names of the fields in the lines that differ."""
    fields = re.findall(r"^[-+] *(?:- )*([\w./-]+):", body, flags=re.MULTILINE)
    return Change("update", key, tuple(dict.fromkeys(f for f in fields if f != "generation"))[:4])


def _diff_name(item: KubernetesObject) -> str:
    """How kubectl names the files that it compares."""
    group, _, version = item.content["apiVersion"].rpartition("/")
    key = item.key
    return ".".join([*([group] if group else []), version, key.kind, key.namespace, key.name])
