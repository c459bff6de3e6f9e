"""Flux: a chart as a HelmRelease with its source, and the waves as Kustomizations in order.

API versions: https://fluxcd.io/flux/components/ (helm v2, source v1, kustomize v1).
"""

from __future__ import annotations

import re
from typing import Any

from gitops.manifests import Chart

NAMESPACE = "flux-system"
"""Where Flux itself runs, and its bootstrap's GitRepository of the same name."""

_INTERVAL = "10m"
_HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def chart_objects(chart: Chart, after: list[Chart]) -> list[dict[str, Any]]:
    """The source of the chart and its HelmRelease, which waits for the releases in `after`."""
    source = _repository(chart) if chart.repo else _oci_repository(chart)
    reference = {"kind": source["kind"], "name": source["metadata"]["name"]}
    remediation = {"retries": 3}
    crds = "Skip" if chart.skip_crds else "CreateReplace"
    spec: dict[str, Any] = {
        "interval": _INTERVAL,
        "timeout": f"{chart.timeout}s",
        "releaseName": chart.name,
        "targetNamespace": chart.namespace,
        "storageNamespace": chart.namespace,
        "install": {"crds": crds, "remediation": remediation},
        "upgrade": {"crds": crds, "remediation": remediation},
        "values": chart.values,
    }
    if chart.repo:
        spec["chart"] = {
            "spec": {"chart": chart.chart, "version": chart.version, "sourceRef": reference}
        }
    else:
        spec["chartRef"] = reference
    if after:
        spec["dependsOn"] = [{"name": _release_name(other)} for other in after]
    release = _object("helm.toolkit.fluxcd.io/v2", "HelmRelease", _release_name(chart), spec)
    return [source, release]


def wave_objects(folders: dict[str, int], path: str) -> list[dict[str, Any]]:
    """One Flux Kustomization a folder, each waiting until the one before it is ready.

    `folders` maps each to the seconds that its objects may take. `path` is where the rendered
    folder lies in the repository that Flux reads.
    """
    result = []
    before = None
    for number, (folder, seconds) in enumerate(folders.items()):
        spec: dict[str, Any] = {
            "interval": _INTERVAL,
            "path": "./" + "/".join(part for part in (path.strip("./"), folder) if part),
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": NAMESPACE},
            "timeout": f"{seconds}s",
            "wait": True,
        }
        if before:
            spec["dependsOn"] = [{"name": before}]
        # By number alone: a new name would make Flux delete the old one with all that it made.
        before = f"inference-mesh-wave-{number}"
        result.append(_object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", before, spec))
    return result


def _release_name(chart: Chart) -> str:
    return f"{chart.namespace}-{chart.name}"


def _repository(chart: Chart) -> dict[str, Any]:
    address = chart.repo or ""
    spec = {"interval": _INTERVAL, "url": address}
    return _object("source.toolkit.fluxcd.io/v1", "HelmRepository", _name_of(address), spec)


def _oci_repository(chart: Chart) -> dict[str, Any]:
    spec = {
        "interval": _INTERVAL,
        "url": chart.chart,
        "ref": {"tag": chart.version},
        "layerSelector": {"mediaType": _HELM_CHART, "operation": "copy"},
    }
    name = f"{_name_of(chart.chart)}-{_name_of(chart.version or '')}"
    return _object("source.toolkit.fluxcd.io/v1", "OCIRepository", name, spec)


def _name_of(address: str) -> str:
    """A Kubernetes name from an address: `https://blob.istio.io/x` gives `blob-istio-io-x`."""
    return re.sub(r"[^a-z0-9]+", "-", address.lower().split("://")[-1]).strip("-")[-63:].strip("-")


def _object(api_version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
