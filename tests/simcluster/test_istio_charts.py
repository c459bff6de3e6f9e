from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from simcluster import istio_charts
from simcluster.reporting import SimulationError


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Charts as small as they can be, in the folders of Istio's module."""
    for folder, _ in istio_charts.CHARTS.values():
        chart = tmp_path / "module" / folder
        (chart / "templates").mkdir(parents=True)
        (chart / "templates" / "a.yaml").write_text("{{ .Values.hub }}\n")
        (chart / "Chart.yaml").write_text("name: x\nversion: 1.0.0\nappVersion: 1.0.0\n")
        defaults = {"global": {"hub": "testing", "tag": "latest"}, "base": {}, "istiodRemote": {}}
        (chart / "values.yaml").write_text(yaml.safe_dump({istio_charts.DEFAULTS: defaults}))
    for path in (tmp_path / "module").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return tmp_path / "module"


def values(target: Path, chart: str) -> dict[str, dict[str, str]]:
    content = yaml.safe_load((target / chart / "values.yaml").read_text())
    defaults: dict[str, dict[str, str]] = content[istio_charts.DEFAULTS]
    return defaults


def test_charts_carry_the_release_of_istio(module: Path, tmp_path: Path) -> None:
    istio_charts.prepare(module, tmp_path / "charts", 1234)
    for name in istio_charts.CHARTS:
        chart = yaml.safe_load((tmp_path / "charts" / name / "Chart.yaml").read_text())
        assert chart["version"] == chart["appVersion"] == istio_charts.istio_version()


def test_images_are_those_of_the_release(module: Path, tmp_path: Path) -> None:
    istio_charts.prepare(module, tmp_path / "charts", 1234)
    images = values(tmp_path / "charts", "istiod")["global"]
    assert images == {"hub": "docker.io/istio", "tag": istio_charts.istio_version()}


def test_webhooks_lead_to_the_istiod_of_this_cluster(module: Path, tmp_path: Path) -> None:
    istio_charts.prepare(module, tmp_path / "charts", 1234)
    istiod = values(tmp_path / "charts", "istiod")
    assert istiod["istiodRemote"]["injectionURL"] == "https://localhost:1234/inject"
    assert istiod["base"]["validationURL"] == "https://localhost:1234/validate"
    base = values(tmp_path / "charts", "base")
    assert base["base"]["validationURL"] == "https://localhost:1234/validate"


def test_copies_of_a_read_only_module_are_complete_and_writable(
    module: Path, tmp_path: Path
) -> None:
    istio_charts.prepare(module, tmp_path / "charts", 1234)
    template = tmp_path / "charts" / "gateway" / "templates" / "a.yaml"
    template.write_text(template.read_text() + "more")


def test_a_chart_whose_values_moved_is_reported(module: Path, tmp_path: Path) -> None:
    file = module / "base" / "values.yaml"
    file.chmod(0o644)
    file.write_text(f"{istio_charts.DEFAULTS}: {{}}\n")
    with pytest.raises(SimulationError, match=r"base/values\.yaml has no .*\.base"):
        istio_charts.prepare(module, tmp_path / "charts", 1234)
