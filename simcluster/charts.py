"""The folder of charts of a simulated cluster: real ones from Go modules, and a few stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simcluster import istio_charts
from simcluster.toolchain import CHARTS, FLAGGER, ISTIO_CHARTS, Source, copy_tree, source_dir

STAND_INS = Path(__file__).with_name("standins")
"""Charts of our own for those that no Go module has: same names, labels, ports and accounts."""


@dataclass(frozen=True)
class Chart:
    """A chart of a Go module, as its project keeps it there."""

    name: str
    source: Source
    placeholders: tuple[tuple[str, str], ...] = ()
    """What the project's release puts into `values.tmpl.yaml`, in whose place it ships
    `values.yaml`; `{version}` is the module's."""

    def prepare(self, target: Path) -> None:
        """Write the chart into the folder `target`."""
        copy_tree(source_dir(self.source), target)
        if self.placeholders:
            values = (target / "values.tmpl.yaml").read_text()
            for name, value in self.placeholders:
                values = values.replace(name, value.format(version=self.source.version))
            (target / "values.yaml").write_text(values)


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
)


def prepare(target: Path, webhook_port: int) -> None:
    """Write every chart under `target`, for an istiod on `webhook_port`."""
    istio_charts.prepare(source_dir(ISTIO_CHARTS), target, webhook_port)
    for chart in OF_MODULES:
        chart.prepare(target / chart.name)
    copy_tree(STAND_INS, target)


def stand_ins() -> tuple[str, ...]:
    """Names of the charts that are not the real ones."""
    return tuple(sorted(path.name for path in STAND_INS.iterdir()))
