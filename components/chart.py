"""Helm charts of third parties: what to install, from where, and the release that does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pydantic import StringConstraints

from components.kubernetes import KubernetesObject, Manifest

Values = dict[str, Any]

ChartSource = Annotated[str, StringConstraints(min_length=1)]
"""Where all charts come from instead of their official repositories: a folder with one folder a
chart, `oci://registry/path`, or `https://` for a mirror repository. For closed networks."""

TIMEOUT_SECONDS = 600
"""How long a release may take to become ready: image pulls and a cloud load balancer included."""


@dataclass(frozen=True)
class Chart:
    """One chart to install as one release."""

    name: str
    """The chart's name in its repository, for example istiod."""
    release: str
    namespace: str
    version: str
    repository: str
    """Official chart repository, an https:// URL."""
    values: Values = field(default_factory=dict)
    per_model: bool = False
    """Whether every model may have a release of it, in its namespace."""


Part = Chart | Manifest | tuple[Manifest, ...]
"""One step of an installation: a chart, or objects that charts before or after it need."""


def merge_values(*layers: Values) -> Values:
    """Helm's own rule: maps merge key by key, anything else is replaced by the later layer."""
    merged: Values = {}
    for layer in layers:
        for key, value in layer.items():
            both_maps = isinstance(merged.get(key), dict) and isinstance(value, dict)
            merged[key] = merge_values(merged[key], value) if both_maps else value
    return merged


def source_problem(source: ChartSource, charts: tuple[str, ...]) -> str | None:
    """Why these charts cannot be had from there, or None; a mirror is not asked."""
    scheme, separator, _ = source.partition("://")
    if separator:
        known = scheme in ("oci", "https")
        return None if known else f"{source} is no source of charts; use oci://... or https://..."
    missing = [name for name in charts if not (Path(source) / name / "Chart.yaml").is_file()]
    if not missing:
        return None
    return (
        f"the folder {source} has no chart {', '.join(missing)} (no Chart.yaml there); expected "
        "one folder a chart, or oci://... or https://... of a mirror; without this setting the "
        "charts come from their official repositories"
    )


class ChartRelease(Release):
    """A chart installed as a real Helm release, with hooks, upgrade logic and kept certificates.

    Expanded charts lose those and drift on webhook certificates
    (https://github.com/pulumi/pulumi-kubernetes/issues/2210).
    """

    def __init__(
        self, chart: Chart, source: ChartSource | None, opts: pulumi.ResourceOptions
    ) -> None:
        location = source or chart.repository
        in_repository = location.startswith("https://")
        super().__init__(
            f"{chart.namespace}/{chart.release}" if chart.per_model else chart.release,
            name=chart.release,
            namespace=chart.namespace,
            chart=chart.name if in_repository else f"{location}/{chart.name}",
            version=chart.version,
            repository_opts=RepositoryOptsArgs(repo=location) if in_repository else None,
            values=chart.values,
            timeout=TIMEOUT_SECONDS,
            cleanup_on_fail=True,
            opts=opts,
        )


def install(
    parts: Iterable[Part],
    source: ChartSource | None,
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Create the parts one after the other; what to wait for, to wait for them all."""
    for part in parts:
        opts = pulumi.ResourceOptions(parent=parent, depends_on=after)
        if isinstance(part, Chart):
            after = [ChartRelease(part, source, opts)]
        else:
            objects = part if isinstance(part, tuple) else (part,)
            after = [KubernetesObject(content, opts) for content in objects]
    return after
