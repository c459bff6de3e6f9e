from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from simcluster import charts, gomod, toolchain
from simcluster.toolchain import Source


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chart whose release fills in a template of values."""
    chart = tmp_path / "module"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: gateway-helm\n")
    (chart / "values.tmpl.yaml").write_text(
        "image: ${GatewayImage}\npullPolicy: ${GatewayImagePullPolicy}\n"
    )
    monkeypatch.setattr(charts, "source_dir", lambda source: chart)
    return chart


def test_a_template_of_values_is_filled_in_as_a_release_does(module: Path, tmp_path: Path) -> None:
    gateway = next(chart for chart in charts.OF_MODULES if chart.name == "gateway-helm")
    gateway.prepare(tmp_path / "copy")
    values = yaml.safe_load((tmp_path / "copy" / "values.yaml").read_text())
    version = gomod.version(*toolchain.CHARTS)
    assert values == {
        "image": f"docker.io/envoyproxy/gateway:{version}",
        "pullPolicy": "IfNotPresent",
    }


def test_a_chart_without_placeholders_is_copied_as_it_is(module: Path, tmp_path: Path) -> None:
    charts.Chart("x", Source("x", toolchain.CHARTS, "x")).prepare(tmp_path / "copy")
    assert not (tmp_path / "copy" / "values.yaml").exists()
    assert (tmp_path / "copy" / "Chart.yaml").read_text() == "name: gateway-helm\n"


def test_a_chart_has_the_library_that_it_depends_on(module: Path, tmp_path: Path) -> None:
    pool = next(chart for chart in charts.OF_MODULES if chart.name == "inferencepool")
    pool.prepare(tmp_path / "copy")
    assert (tmp_path / "copy" / "charts" / "inference-extension" / "Chart.yaml").is_file()
