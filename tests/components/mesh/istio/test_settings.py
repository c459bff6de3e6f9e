from __future__ import annotations

from typing import Any

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


@pytest.mark.parametrize(
    ("given", "idle"),
    [
        ({"cni": True}, ["cni"]),
        ({"nativeSidecars": True}, ["nativeSidecars"]),
        ({"values": {"gateway": {"replicaCount": 3}}}, ["values", "gateway"]),
    ],
)
def test_ambient_refuses_what_only_sidecars_heed(given: dict[str, Any], idle: list[str]) -> None:
    assert idle_settings("ambient", given) == [tuple(idle)]
    assert idle_settings("sidecar", given) == []


@pytest.mark.parametrize(
    ("given", "idle"),
    [
        ({"waypoint": {"cpu": "1"}}, ["waypoint"]),
        ({"values": {"ztunnel": {"logLevel": "debug"}}}, ["values", "ztunnel"]),
    ],
)
def test_sidecars_refuse_what_only_ambient_heeds(given: dict[str, Any], idle: list[str]) -> None:
    assert idle_settings("sidecar", given) == [tuple(idle)]
    assert idle_settings("ambient", given) == []


def idle_settings(data_plane: str, given: dict[str, Any]) -> list[tuple[str, ...]]:
    whole = {"kind": "istio", "dataPlane": data_plane} | given
    return [problem.path for problem in IstioSettings.model_validate(whole).problems()]
