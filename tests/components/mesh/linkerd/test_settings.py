from __future__ import annotations

from typing import Any

import pytest

from components.mesh.linkerd.settings import LinkerdSettings
from components.model.settings import ModelSettings
from tests.components.samples import CUSTOM, model_settings


def problems(**settings: Any) -> dict[str, str]:
    loaded = LinkerdSettings.model_validate({"kind": "linkerd"} | settings)
    return {".".join(path): message for path, message in loaded.all_problems()}


def test_the_default_configuration_has_no_problems() -> None:
    assert problems() == {}


def test_an_unknown_release_is_refused() -> None:
    assert "expected an edge release of 2026.9" in problems(version="2025.1.1")["version"]


@pytest.mark.parametrize(
    "key",
    [
        "config.linkerd.io/identity-mode",
        "config.linkerd.io/enable-h2-upgrade",
        "linkerd.io/inject",
        "config.linkerd.io/proxy-cpu-requests",
        "opaque-ports",
    ],
)
def test_an_annotation_that_todays_proxy_does_not_know_is_refused(key: str) -> None:
    found = problems(proxy={"annotations": {key: "x"}})
    assert "is no annotation of today's proxy" in found[f"proxy.annotations.{key}"]


@pytest.mark.parametrize("name", ["proxy-cpu-request", "default-inbound-policy"])
def test_an_annotation_that_follows_from_other_settings_is_refused(name: str) -> None:
    key = f"config.linkerd.io/{name}"
    found = problems(proxy={"annotations": {key: "x"}})
    assert "follows from other settings" in found[f"proxy.annotations.{key}"]


@pytest.mark.parametrize("name", ["proxy-log-level", "opaque-ports", "skip-outbound-ports"])
def test_annotations_of_todays_proxy_are_taken(name: str) -> None:
    assert problems(proxy={"annotations": {f"config.linkerd.io/{name}": "x"}}) == {}


@pytest.mark.parametrize("key", ["identity", "identityTrustAnchorsPEM", "identityTrustDomain"])
def test_trust_is_not_changed_behind_the_programs_back(key: str) -> None:
    assert f"values.controlPlane.{key}" in problems(values={"controlPlane": {key: "x"}})


def test_prometheus_is_an_address() -> None:
    assert "is no URL" in problems(viz={"prometheus": "prometheus:9090"})["viz.prometheus"]


def test_metrics_are_kept_for_more_than_an_instant() -> None:
    assert "viz.retention" in problems(viz={"retention": "10s"})


def with_model(model: dict[str, Any], **settings: Any) -> dict[str, str]:
    """What the mesh has against a model."""
    mesh = LinkerdSettings.model_validate({"kind": "linkerd"} | settings)
    loaded = ModelSettings.model_validate(model_settings(**model))
    return {".".join(path): message for path, message in mesh.model_problems(loaded)}


@pytest.mark.parametrize("port", [4140, 4143, 4190, 4191])
def test_a_model_on_a_port_of_the_proxy_is_refused(port: int) -> None:
    found = with_model({"runtime": CUSTOM | {"port": port}})
    assert f"port {port} is the mesh proxy's own" in found["runtime.port"]


def test_errors_on_purpose_have_no_place_in_flaggers_route() -> None:
    fault = {"fault": {"percent": 10, "abort": 503}}
    assert with_model({"traffic": fault}) == {}
    found = with_model({"traffic": fault, "progressive": {}})
    assert "Flagger has the route" in found["traffic.fault"]


def test_a_part_of_a_segment_of_a_path_is_refused() -> None:
    caller = {"namespace": "frontend", "paths": ["/v1/mod*"]}
    found = with_model({"callers": ["a", caller], "route": {"paths": ["/api*", "/v1/*"]}})
    assert found["callers.1.paths"].endswith("use /v1/mod/*")
    assert found["route.paths"].endswith("use /api/*")
    assert with_model({"callers": [{"namespace": "a", "paths": ["/v1/*", "/x", "/*"]}]}) == {}


@pytest.mark.parametrize(
    ("key", "ports", "refused"),
    [
        ("skip-inbound-ports", "8000", True),
        ("opaque-ports", "25, 7000-9000", True),
        ("opaque-ports", "25,9000", False),
        ("skip-outbound-ports", "8000", False),
    ],
)
def test_the_models_own_port_is_not_hidden_from_the_proxy(
    key: str, ports: str, refused: bool
) -> None:
    proxy = {"annotations": {f"config.linkerd.io/{key}": ports}}
    assert bool(with_model({}, proxy=proxy)) == refused
