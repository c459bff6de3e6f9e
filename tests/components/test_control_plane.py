from __future__ import annotations

from typing import Any

from components.control_plane import ControlPlane, ControlPlaneArgs
from components.mesh.istio import Istio
from components.mesh.istio.settings import IstioSettings
from tests.components.recording import Deployment, deployed
from tests.components.samples import ambient

COLLECTOR = "http://otel.observability:4317"


def control_plane(traces_endpoint: str | None = None, **settings: Any) -> Deployment:
    mesh = Istio(IstioSettings(kind="istio", **settings), traces_endpoint)
    return deployed(lambda: ControlPlane("mesh", ControlPlaneArgs(mesh, "charts", 5.0)))


def test_all_parts_are_children_of_the_component() -> None:
    result = control_plane(COLLECTOR, cni=True)
    component = result.one("ControlPlane")
    assert component.type == "inference-mesh:control_plane:ControlPlane"
    assert {r.parent for r in result.resources if r != component} == {component.urn}


def test_charts_go_in_one_after_the_other_into_their_namespace() -> None:
    result = control_plane(cni=True)
    namespace, base, cni, istiod = (
        result.one("Namespace"),
        *(result.one("Release", name) for name in ("istio-base", "istio-cni", "istiod")),
    )
    assert result.follows(base, namespace)
    assert result.follows(cni, base)
    assert result.follows(istiod, cni)


def test_objects_of_one_step_go_in_side_by_side() -> None:
    result = deployed(lambda: ControlPlane("mesh", ControlPlaneArgs(ambient())))
    gateways, routes = (
        result.one("CustomResourceDefinition", f"{kind}.gateway.networking.k8s.io")
        for kind in ("gateways", "httproutes")
    )
    assert not result.follows(routes, gateways)
    for each in (gateways, routes):
        assert result.follows(each, result.one("Namespace"))
        assert result.follows(result.one("Release", "istio-base"), each)


def test_releases_wait_for_what_they_install() -> None:
    for release in control_plane().all("Release"):
        assert release.inputs["timeout"] == 600
        assert "skipAwait" not in release.inputs


def test_charts_come_from_the_source_of_the_stack() -> None:
    charts = {release.inputs["chart"] for release in control_plane().all("Release")}
    assert charts == {"charts/base", "charts/istiod"}


def test_telemetry_follows_istiod_which_brings_its_kind_and_webhook() -> None:
    result = control_plane(COLLECTOR)
    telemetry = result.one("Telemetry")
    assert result.follows(telemetry, result.one("Release", "istiod"))
    assert telemetry.inputs["spec"]["tracing"][0]["randomSamplingPercentage"] == 5


def test_the_component_says_that_it_is_complete() -> None:
    result = control_plane()
    assert result.one("ControlPlane").urn in result.finished
