from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.mesh.istio.settings import IstioSettings


def test_default_configuration_is_the_pinned_release_highly_available_with_native_sidecars() -> (
    None
):
    settings = IstioSettings(kind="istio")
    assert settings.version == "1.31.1"
    assert settings.high_availability
    assert settings.native_sidecars
    assert list(settings.problems()) == []


def test_a_release_that_is_not_known_is_refused_with_those_that_are() -> None:
    (problem,) = IstioSettings(kind="istio", version="1.20.0").problems()
    assert problem.path == ("version",)
    assert "1.30, 1.31" in problem.message


def test_what_the_gateways_selector_and_identity_are_derived_from_is_not_overridden() -> None:
    values = {"gateway": {"name": "x", "replicaCount": 3}}
    settings = IstioSettings.model_validate({"kind": "istio", "values": values})
    assert [problem.path for problem in settings.problems()] == [("values", "gateway", "name")]


@pytest.mark.parametrize("version", ["1.31", "v1.31.1", "latest"])
def test_what_is_no_release_is_refused(version: str) -> None:
    with pytest.raises(ValidationError, match=r"1\.31\.1"):
        IstioSettings(kind="istio", version=version)
