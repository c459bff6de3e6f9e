from __future__ import annotations

from typing import Any

import pytest

from components.chart import Chart
from components.mesh import gateway_api
from components.mesh.linkerd import Linkerd
from tests.components.samples import linkerd

COLLECTOR = "http://otel-collector.observability.svc.cluster.local:4317"


def charts(**settings: Any) -> dict[str, Chart]:
    return {part.name: part for part in linkerd(**settings).install() if isinstance(part, Chart)}


def test_default_configuration_is_definitions_then_control_plane_then_metrics() -> None:
    definitions, *rest = linkerd().install()
    assert definitions == gateway_api.definitions()
    kinds = [part.release if isinstance(part, Chart) else part["kind"] for part in rest]
    assert kinds == [
        "linkerd-crds",
        "Certificate",
        "Bundle",
        "linkerd-control-plane",
        "Namespace",
        "linkerd-viz",
    ]


def test_linkerd_itself_does_not_install_the_gateway_api_too() -> None:
    for name in ("linkerd-crds", "linkerd-control-plane"):
        assert "installGatewayAPI" not in charts()[name].values


def test_every_chart_has_the_pinned_version_of_the_edge_channel() -> None:
    for name in ("linkerd-crds", "linkerd-control-plane", "linkerd-viz"):
        chart = charts(version="2026.9.2")[name]
        assert (chart.version, chart.repository) == ("2026.9.2", "https://helm.linkerd.io/edge")


@pytest.mark.parametrize("high_availability", [True, False])
def test_pods_without_a_proxy_are_refused(high_availability: bool) -> None:
    found = charts(high_availability=high_availability)["linkerd-control-plane"]
    assert found.values["webhookFailurePolicy"] == "Fail"


def test_high_availability_is_three_replicas_on_different_nodes_with_budgets() -> None:
    values = charts()["linkerd-control-plane"].values
    assert values["controllerReplicas"] == 3
    assert values["enablePodAntiAffinity"] is True
    assert values["enablePodDisruptionBudget"] is True
    one = charts(high_availability=False)["linkerd-control-plane"].values
    assert "controllerReplicas" not in one
    assert "enablePodDisruptionBudget" not in one


def test_metrics_are_kept_as_long_as_asked() -> None:
    arguments = charts(viz={"retention": "1h"})["linkerd-viz"].values["prometheus"]["args"]
    assert arguments == {"storage.tsdb.retention.time": "1h"}


def test_a_prometheus_of_ones_own_replaces_the_extensions() -> None:
    own = "http://prometheus.monitoring.svc.cluster.local:9090"
    values = charts(viz={"prometheus": own})["linkerd-viz"].values
    assert values["prometheusUrl"] == own
    assert values["prometheus"] == {"enabled": False}


def test_metrics_of_the_model_servers_are_scraped_too() -> None:
    (job,) = charts()["linkerd-viz"].values["prometheus"]["scrapeConfigs"]
    keep = job["relabel_configs"][0]
    assert keep["source_labels"] == ["__meta_kubernetes_pod_annotation_prometheus_io_scrape"]


def test_who_reads_the_extensions_prometheus_is_named() -> None:
    readers = ["cluster.local/ns/keda/sa/keda-operator"]
    parts = linkerd(viz={"readers": readers}).install()
    who, policy = (part for part in parts if isinstance(part, dict) and "readers" in str(part))
    assert who["spec"]["identities"] == [
        "keda-operator.keda.serviceaccount.identity.linkerd.cluster.local"
    ]
    assert policy["spec"]["targetRef"]["name"] == "prometheus-admin"


def test_metrics_may_be_left_out() -> None:
    assert "linkerd-viz" not in charts(viz=None)


def test_values_of_the_user_are_merged_over_ours() -> None:
    values = {"controlPlane": {"controllerReplicas": 5, "proxy": {"logLevel": "info"}}}
    merged = charts(values=values)["linkerd-control-plane"].values
    assert merged["controllerReplicas"] == 5
    assert merged["proxy"] == {"outboundConnectTimeout": "5000ms", "logLevel": "info"}


def test_proxies_send_spans_to_a_collector_whose_identity_is_known() -> None:
    mesh = Linkerd(linkerd(trace_collector="otel").settings, COLLECTOR)
    (chart,) = (
        part
        for part in mesh.install()
        if isinstance(part, Chart) and part.name == "linkerd-control-plane"
    )
    tracing = chart.values["proxy"]["tracing"]
    assert tracing["collector"] == {
        "endpoint": "otel-collector.observability.svc.cluster.local:4317",
        "meshIdentity": {"serviceAccountName": "otel", "namespace": "observability"},
    }


def test_without_the_collectors_identity_proxies_send_none() -> None:
    mesh = Linkerd(linkerd().settings, COLLECTOR)
    values = [part.values for part in mesh.install() if isinstance(part, Chart)]
    assert not any("tracing" in str(found) for found in values)


def test_the_namespace_is_as_linkerd_makes_it() -> None:
    made = linkerd().system_namespace_metadata()
    assert made.annotations == {"linkerd.io/inject": "disabled"}
    assert made.labels["config.linkerd.io/admission-webhooks"] == "disabled"


@pytest.mark.parametrize("version", ["1.31", "1.36"])
def test_the_supported_range_of_kubernetes_is_taken(version: str) -> None:
    assert linkerd().kubernetes_problem(version) is None


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_other_kubernetes_is_a_problem_that_says_which_is_supported(version: str) -> None:
    message = linkerd().kubernetes_problem(version)
    assert message is not None
    assert f"Kubernetes {version}" in message
    assert "Linkerd 2026.9.1 supports 1.31 to 1.36" in message
