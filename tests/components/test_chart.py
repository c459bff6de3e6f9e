from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from components.chart import Chart, ChartRelease, merge_values, source_problem
from tests.components.recording import Registered, deployed

OFFICIAL = "https://blob.istio.io/istio-release/charts"
ISTIOD = Chart("istiod", "istiod", "istio-system", "1.31.1", OFFICIAL, {"autoscaleMin": 2})


def release(source: str | None) -> Registered:
    def program() -> None:
        ChartRelease(ISTIOD, source, pulumi.ResourceOptions())

    return deployed(program).one("Release")


def test_a_chart_is_a_real_helm_release() -> None:
    assert release(None).type == "kubernetes:helm.sh/v3:Release"


def test_the_release_has_its_own_name_and_no_generated_one() -> None:
    inputs = release(None).inputs
    assert (inputs["name"], inputs["namespace"]) == ("istiod", "istio-system")


def test_a_chart_comes_from_its_official_repository_in_the_pinned_version() -> None:
    inputs = release(None).inputs
    assert inputs["chart"] == "istiod"
    assert inputs["repositoryOpts"] == {"repo": OFFICIAL}
    assert inputs["version"] == "1.31.1"


def test_a_mirror_repository_replaces_the_official_one() -> None:
    mirror = "https://charts.example.com/istio"
    inputs = release(mirror).inputs
    assert inputs["repositoryOpts"] == {"repo": mirror}


@pytest.mark.parametrize("source", ["oci://registry.example.com/charts", "charts"])
def test_a_registry_and_a_folder_hold_one_chart_each_below_them(source: str) -> None:
    inputs = release(source).inputs
    assert inputs["chart"] == f"{source}/istiod"
    assert "repositoryOpts" not in inputs


def test_values_merge_as_helm_merges_them() -> None:
    ours = {"a": {"b": 1, "c": [1]}, "d": 1}
    theirs = {"a": {"c": [2], "e": 3}, "d": {"f": 4}}
    assert merge_values(ours, theirs) == {"a": {"b": 1, "c": [2], "e": 3}, "d": {"f": 4}}
    assert ours == {"a": {"b": 1, "c": [1]}, "d": 1}


def test_a_folder_without_a_chart_is_a_problem_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "Chart.yaml").touch()
    assert source_problem(str(tmp_path), ("base",)) is None
    message = source_problem(str(tmp_path), ("base", "istiod", "gateway"))
    assert message is not None
    assert str(tmp_path) in message
    assert "istiod, gateway" in message


@pytest.mark.parametrize("source", ["oci://registry.example.com/charts", "https://example.com"])
def test_a_mirror_is_taken_at_its_word(source: str) -> None:
    assert source_problem(source, ("base",)) is None


@pytest.mark.parametrize("source", ["http://example.com", "file:///charts"])
def test_another_kind_of_address_is_a_problem(source: str) -> None:
    assert "oci://" in (source_problem(source, ("base",)) or "")
