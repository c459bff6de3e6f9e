from __future__ import annotations

from typing import Any

from components.chart import Chart
from components.mesh import gateway_api
from components.mesh.ambient import Ambient
from components.mesh.istio.settings import IstioSettings
from components.traffic import RetrySettings
from tests.components.samples import ambient


def charts(**settings: Any) -> dict[str, Chart]:
    return {part.name: part for part in ambient(**settings).install() if isinstance(part, Chart)}


def test_default_configuration_installs_the_definitions_then_istio_then_the_nodes_proxy() -> None:
    definitions, *rest = ambient().install()
    assert definitions == gateway_api.definitions()
    releases = [part.release for part in rest if isinstance(part, Chart)]
    assert releases == ["istio-base", "istiod", "istio-cni", "ztunnel"]
    assert {chart.namespace for chart in charts().values()} == {"istio-system"}


def test_definitions_that_the_cluster_has_are_left_to_their_owner() -> None:
    assert all(isinstance(part, Chart) for part in ambient(gateway_api=False).install())


def test_every_chart_with_a_part_in_it_has_the_ambient_profile() -> None:
    for name in ("istiod", "cni", "ztunnel"):
        assert charts()[name].values["profile"] == "ambient"


def test_retries_of_all_routes_are_those_that_a_model_has_by_default() -> None:
    policy = charts()["istiod"].values["meshConfig"]["defaultHttpRetryPolicy"]
    default = RetrySettings()
    assert policy["attempts"] == default.attempts
    assert set(policy["retryOn"].split(",")) == set(default.conditions)


def test_proxies_in_the_models_namespaces_are_restricted_pods() -> None:
    gateways = charts()["istiod"].values["gateways"]
    assert gateways == {"seccompProfile": {"type": "RuntimeDefault"}}


def test_a_nodes_proxy_that_is_replaced_keeps_streams_for_minutes() -> None:
    assert charts()["ztunnel"].values["terminationGracePeriodSeconds"] == 300


def test_a_revision_is_that_of_all_that_speaks_to_istiod() -> None:
    named = charts(revision="v1-31-1")
    assert named["istiod"].release == "istiod-v1-31-1"
    for name in ("istiod", "cni", "ztunnel"):
        assert named[name].values["revision"] == "v1-31-1"


def test_traces_go_to_the_collector() -> None:
    mesh = Ambient(IstioSettings(kind="istio", data_plane="ambient"), "http://otel.monitoring:4317")
    made = {part.name: part for part in mesh.install() if isinstance(part, Chart)}
    (provider,) = made["istiod"].values["meshConfig"]["extensionProviders"]
    assert provider["opentelemetry"] == {"service": "otel.monitoring", "port": 4317}
    (telemetry,) = mesh.observe(5)
    assert telemetry["spec"]["tracing"][0]["randomSamplingPercentage"] == 5


def test_values_of_the_users_own_win() -> None:
    own = {"ztunnel": {"terminationGracePeriodSeconds": 3600}, "cni": {"cniBinDir": "/home/cni"}}
    made = charts(values=own)
    assert made["ztunnel"].values["terminationGracePeriodSeconds"] == 3600
    assert made["cni"].values == {"profile": "ambient", "cniBinDir": "/home/cni"}


def test_the_range_of_kubernetes_is_that_of_the_release() -> None:
    assert ambient().kubernetes_problem("1.36") is None
    assert "1.32 to 1.36" in str(ambient().kubernetes_problem("1.37"))
