"""Waiting until what was applied is ready, and saying why if it never is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gitops.cluster import Cluster
from gitops.errors import GitopsError
from gitops.inventory import ObjectEntry
from gitops.manifests import KubernetesObject

_POLL_SECONDS = 1.0
_REPORT_SECONDS = 15.0
_POLLS_FAILED = 4
"""In a row: a Deployment that failed before says so for a moment after it was mended."""
_DEADLINE_SECONDS = 660
"""Beyond a Deployment's own progress deadline, 600 s by default, which is the usual end."""

Object = dict[str, Any]


def wait(cluster: Cluster, items: Iterable[KubernetesObject], say: Callable[[str], None]) -> None:
    """Wait for definitions to be established and for workloads to be rolled out.

    Raises GitopsError with the state of the pods once a rollout failed.
    """
    waiting = [_reference(item) for item in items if _is_awaited(item.content)]
    started = reported = time.monotonic()
    polls_failed = 0
    while waiting:
        live = cluster.get("-f=-", objects=waiting) or {}
        objects = live.get("items", [live] if live else [])
        not_ready = [item for item in objects if not _READY[item["kind"]](item)]
        if not not_ready:
            return
        now = time.monotonic()
        failed = [item for item in not_ready if _has_failed(item)]
        deadline = max([_DEADLINE_SECONDS, *map(_progress_deadline, not_ready)])
        polls_failed = polls_failed + 1 if failed else 0
        if polls_failed >= _POLLS_FAILED or now - started > deadline:
            raise GitopsError(explain(cluster, failed or not_ready))
        if now - reported > _REPORT_SECONDS:
            say(explain(cluster, not_ready, "is not ready yet"))
            reported = now
        time.sleep(_POLL_SECONDS)


def _is_awaited(content: Object) -> bool:
    """Not where another controller decides when it rolls out; Pulumi goes by the same annotation.

    https://www.pulumi.com/registry/packages/kubernetes/api-docs/#pulumicomskipawait
    """
    annotations = content["metadata"].get("annotations") or {}
    return content["kind"] in _READY and annotations.get("pulumi.com/skipAwait") != "true"


def unready(cluster: Cluster, namespace: str, release: str) -> list[str]:
    """Why the workloads of a Helm release are not ready, line by line."""
    workloads = cluster.get("deployments,statefulsets,daemonsets", f"--namespace={namespace}")
    return [
        explain(cluster, [item])
        for item in (workloads or {}).get("items", [])
        if (item["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name") == release
        and not _READY[item["kind"]](item)
    ]


def explain(cluster: Cluster, objects: list[Object], state: str = "did not become ready") -> str:
    """Why these are not ready: their conditions, their pods, the last warnings about them."""
    lines = []
    for item in objects:
        lines.append(f"{_name(item)} {state}:")
        reasons = dict.fromkeys([*_bad_conditions(item), *_pod_reasons(cluster, item)])
        lines += [f"  {reason}" for reason in reasons] or ["  no reason is given"]
    return "\n".join(lines)


def _is_established(item: Object) -> bool:
    return _condition(item, "Established").get("status") == "True"


def _is_available(item: Object) -> bool:
    """As `kubectl rollout status` has it: no old pod counts, though it may still serve."""
    status = item.get("status") or {}
    updated = status.get("updatedReplicas", 0)
    return (
        _is_observed(item)
        and updated >= item["spec"].get("replicas", 1)
        and updated >= status.get("replicas", 0)
        and updated <= status.get("availableReplicas", 0)
    )


def _is_rolled_out(item: Object) -> bool:
    status, wanted = item.get("status") or {}, item["spec"].get("replicas", 1)
    return _is_observed(item) and all(
        status.get(count, 0) >= wanted for count in ("updatedReplicas", "readyReplicas")
    )


def _is_on_all_nodes(item: Object) -> bool:
    status = item.get("status") or {}
    wanted = status.get("desiredNumberScheduled", 0)
    return _is_observed(item) and all(
        status.get(count, 0) >= wanted for count in ("updatedNumberScheduled", "numberAvailable")
    )


def _is_observed(item: Object) -> bool:
    observed = (item.get("status") or {}).get("observedGeneration", 0)
    return bool(observed >= item["metadata"]["generation"])


def _is_programmed(item: Object) -> bool:
    """Of the Gateway API: its proxies have an address. Others of that kind say nothing."""
    is_other = not item["apiVersion"].startswith("gateway.networking.k8s.io/")
    return is_other or _condition(item, "Programmed").get("status") == "True"


_READY: dict[str, Callable[[Object], bool]] = {
    "CustomResourceDefinition": _is_established,
    "Deployment": _is_available,
    "StatefulSet": _is_rolled_out,
    "DaemonSet": _is_on_all_nodes,
    "Gateway": _is_programmed,
}


def _has_failed(item: Object) -> bool:
    progressing = _condition(item, "Progressing")
    return _is_observed(item) and progressing.get("reason") == "ProgressDeadlineExceeded"


def _progress_deadline(item: Object) -> int:
    return int(item["spec"].get("progressDeadlineSeconds", 0)) + 60


def _condition(item: Object, kind: str) -> Object:
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((found for found in conditions if found["type"] == kind), {})


def _bad_conditions(item: Object) -> Iterator[str]:
    for condition in (item.get("status") or {}).get("conditions") or []:
        is_bad = (condition["status"] == "True") == (condition["type"] == "ReplicaFailure")
        if is_bad and condition.get("message"):
            yield f"{condition['type']}: {condition['message']}"


def _pod_reasons(cluster: Cluster, item: Object) -> Iterator[str]:
    namespace = item["metadata"].get("namespace")
    labels = (item["spec"].get("selector") or {}).get("matchLabels")
    if not namespace or not labels:
        return
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = cluster.get("pods", f"--namespace={namespace}", f"--selector={selector}")
    names = {item["metadata"]["name"]}
    for pod in (pods or {}).get("items", []):
        names.add(pod["metadata"]["name"])
        for status in pod["status"].get("containerStatuses") or []:
            if waiting := status["state"].get("waiting"):
                words = f"{waiting['reason']} {waiting.get('message', '')}".strip()
                yield f"container {status['name']}: {words}"
        yield from (f"pod {reason}" for reason in _bad_conditions(pod))
    warnings = cluster.get("events", f"--namespace={namespace}", "--field-selector=type=Warning")
    for event in (warnings or {}).get("items", [])[-50:]:
        told_by_pod = event.get("reason") == "FailedScheduling"
        if event["involvedObject"].get("name") in names and not told_by_pod:
            yield f"{event.get('reason')}: {event.get('message')}"


def _name(item: Object) -> str:
    metadata = item["metadata"]
    return str(
        ObjectEntry(
            item["apiVersion"], item["kind"], metadata.get("namespace") or "", metadata["name"]
        )
    )


def _reference(item: KubernetesObject) -> Object:
    key = item.key
    return ObjectEntry(item.content["apiVersion"], key.kind, key.namespace, key.name).reference
