from __future__ import annotations

from typing import Any

import pytest

from components.chart import Chart
from tests.components.samples import istio

COLLECTOR = "http://otel-collector.observability.svc.cluster.local:4317"


def charts(**settings: Any) -> dict[str, Chart]:
    return {chart.name: chart for chart in istio(**settings).install()}


def test_default_configuration_is_base_and_then_istiod() -> None:
    assert [(chart.name, chart.release) for chart in istio().install()] == [
        ("base", "istio-base"),
        ("istiod", "istiod"),
    ]
    assert {chart.namespace for chart in istio().install()} == {"istio-system"}


def test_the_node_agent_comes_before_istiod_whose_pods_need_it() -> None:
    assert list(charts(cni=True)) == ["base", "cni", "istiod"]
    assert charts(cni=True)["istiod"].values["cni"] == {"enabled": True}
    assert "cni" not in charts()["istiod"].values


def test_every_chart_has_the_pinned_version_and_the_repository_that_stays() -> None:
    for chart in istio(version="1.30.2").install():
        assert chart.version == "1.30.2"
        assert chart.repository == "https://blob.istio.io/istio-release/charts"


@pytest.mark.parametrize("name", ["base", "istiod"])
def test_the_failure_policy_does_not_flip_while_running(name: str) -> None:
    assert charts()[name].values["base"]["validationFailurePolicy"] == "Fail"


def test_istiod_is_two_replicas_or_one() -> None:
    many, one = charts()["istiod"].values, charts(high_availability=False)["istiod"].values
    assert many["autoscaleMin"] == 2
    (spread,) = many["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": {"app": "istiod"}}
    assert one["autoscaleMin"] == 1
    assert one["autoscaleEnabled"] is False


def test_a_revision_names_release_values_and_default() -> None:
    revised = charts(revision="v1-31-1")
    assert revised["istiod"].release == "istiod-v1-31-1"
    assert revised["istiod"].values["revision"] == "v1-31-1"
    assert revised["base"].values["defaultRevision"] == "v1-31-1"
    assert charts()["base"].values["defaultRevision"] == "default"


def test_values_of_the_user_are_merged_over_ours() -> None:
    values = {"istiod": {"meshConfig": {"accessLogFile": "/dev/stdout"}, "autoscaleMin": 3}}
    merged = charts(values=values)["istiod"].values
    assert merged["autoscaleMin"] == 3
    assert merged["meshConfig"] == {
        "trustDomain": "cluster.local",
        "accessLogFile": "/dev/stdout",
    }


def test_spans_go_to_the_collector_by_its_service_and_port() -> None:
    traced = istio()
    traced = type(traced)(traced.settings, COLLECTOR)
    istiod = traced.install()[-1]
    (provider,) = istiod.values["meshConfig"]["extensionProviders"]
    service = {"service": "otel-collector.observability.svc.cluster.local", "port": 4317}
    assert provider == {"name": "otel", "opentelemetry": service}
    (telemetry,) = traced.observe(5.0)
    assert telemetry["metadata"]["namespace"] == "istio-system"
    assert telemetry["spec"]["tracing"] == [
        {"providers": [{"name": "otel"}], "randomSamplingPercentage": 5.0}
    ]


def test_without_a_collector_there_is_no_telemetry() -> None:
    assert istio().observe(1.0) == ()
    assert "extensionProviders" not in charts()["istiod"].values["meshConfig"]


@pytest.mark.parametrize("version", ["1.32", "1.36"])
def test_the_supported_range_of_kubernetes_is_taken(version: str) -> None:
    assert istio().kubernetes_problem(version) is None


@pytest.mark.parametrize("version", ["1.24", "1.31", "1.37"])
def test_other_kubernetes_is_a_problem_that_says_which_is_supported(version: str) -> None:
    message = istio().kubernetes_problem(version)
    assert message is not None
    assert f"Kubernetes {version}" in message
    assert "Istio 1.31.1 supports 1.32 to 1.36" in message
