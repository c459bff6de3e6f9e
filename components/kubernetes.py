"""Kubernetes objects: plain manifests as data, and the Pulumi resource that holds one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes._utilities import get_version

_PLUGIN_VERSION: str = get_version()  # type: ignore[no-untyped-call]

Manifest = dict[str, Any]
"""A Kubernetes object as in YAML: apiVersion, kind, metadata and the rest."""


def manifest(
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **content: Any,
) -> Manifest:
    """A Kubernetes object; empty labels and annotations are left out, and so is a None namespace.

    Always with an explicit name: policies, routes and metrics refer to one another by name, and
    a rendered repository must not change between runs.
    """
    metadata: dict[str, Any] = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def recommended_labels(name: str, component: str) -> dict[str, str]:
    """The labels that dashboards and `kubectl get -l` expect; meshes name workloads by `name`.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "inference-mesh",
        "app.kubernetes.io/managed-by": "inference-mesh",
    }


def pod_pattern(deployment: str) -> str:
    """Regular expression of the names of a Deployment's pods, and of no other's whose name begins
    the same: those have one part more."""
    return f"{deployment.replace('.', '[.]')}-[a-z0-9]+-[a-z0-9]+"


def topology_spread(key: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Pods with these labels evenly over the values of a node label; never at the price of a pod
    that cannot run."""
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
    }


class KubernetesObject(pulumi.CustomResource):
    """One manifest as a resource of the Kubernetes provider.

    The typed classes of pulumi_kubernetes register the same resources under the same type tokens,
    but convert each nested property through type hints, which takes more than twice the time
    (`make bench`); our manifests are checked by the API server instead.
    """

    def __init__(self, content: Manifest, opts: pulumi.ResourceOptions | None = None) -> None:
        metadata = content["metadata"]
        group_version = content["apiVersion"]
        token_version = group_version if "/" in group_version else f"core/{group_version}"
        super().__init__(
            f"kubernetes:{token_version}:{content['kind']}",
            # Its identity in the cluster, so that an object that stays is updated even where the
            # component that has it was renamed.
            "/".join(filter(None, (metadata.get("namespace"), metadata["name"]))),
            content,
            pulumi.ResourceOptions.merge(pulumi.ResourceOptions(version=_PLUGIN_VERSION), opts),
        )
