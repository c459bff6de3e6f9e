"""The folder of charts of a simulated cluster: those of the projects, from their Go modules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simcluster import istio_charts
from simcluster.toolchain import (
    AI_GATEWAY,
    CHARTS,
    FLAGGER,
    ISTIO_CHARTS,
    POOLS,
    Source,
    copy_tree,
    source_dir,
)


@dataclass(frozen=True)
class Chart:
    """A chart of a Go module, as its project keeps it there."""

    name: str
    source: Source
    placeholders: tuple[tuple[str, str], ...] = ()
    """What the project's release puts into `values.tmpl.yaml`, in whose place it ships
    `values.yaml`; `{version}` is the module's."""
    library: tuple[str, Source] | None = None
    """A chart that this one depends on, by the name of its dependency."""

    def prepare(self, target: Path) -> None:
        """Write the chart into the folder `target`."""
        copy_tree(source_dir(self.source), target)
        if self.library:
            name, source = self.library
            copy_tree(source_dir(source), target / "charts" / name)
        if self.placeholders:
            values = (target / "values.tmpl.yaml").read_text()
            for name, value in self.placeholders:
                values = values.replace(name, value.format(version=self.source.version))
            (target / "values.yaml").write_text(values)


def _of_pools(name: str) -> Source:
    return Source(f"{name}-chart", POOLS, f"config/charts/{name}")


def _of_ai_gateway(name: str) -> Chart:
    return Chart(name, Source(f"{name}-chart", AI_GATEWAY, f"manifests/charts/{name}"))


OF_MODULES = (
    Chart("flagger", Source("flagger-chart", FLAGGER, "charts/flagger")),
    Chart(
        "gateway-helm",
        Source("envoy-gateway-chart", CHARTS, "charts/gateway-helm"),
        (
            ("${GatewayImagePullPolicy}", "IfNotPresent"),
            ("${GatewayImage}", "docker.io/envoyproxy/gateway:{version}"),
        ),
    ),
    _of_ai_gateway("ai-gateway-crds-helm"),
    _of_ai_gateway("ai-gateway-helm"),
    Chart(
        "inferencepool",
        _of_pools("inferencepool"),
        library=("inference-extension", _of_pools("epplib")),
    ),
    Chart("body-based-routing", _of_pools("body-based-routing")),
)


def prepare(target: Path, webhook_port: int) -> None:
    """Write every chart under `target`, for an istiod on `webhook_port`."""
    istio_charts.prepare(source_dir(ISTIO_CHARTS), target, webhook_port)
    for chart in OF_MODULES:
        chart.prepare(target / chart.name)


def names() -> frozenset[str]:
    """Every chart that the folder has."""
    return frozenset((*istio_charts.CHARTS, *(chart.name for chart in OF_MODULES)))
