from __future__ import annotations

from typing import Any

from tests.components.samples import NAME, linkerd, model

SERVICE = "deepseek-r1-1-5b"
TRAFFIC = {"timeouts": {"response": "30s"}, "retries": {"attempts": 1}}


def on_service(**settings: Any) -> dict[str, str]:
    return linkerd().service_metadata(model(traffic=TRAFFIC, **settings)).annotations


def test_flagger_makes_the_route_of_the_models_service() -> None:
    delivery = linkerd().deliver(model(progressive={}))
    assert delivery.provider == "gatewayapi:v1"
    parent = {"group": "", "kind": "Service", "name": SERVICE}
    assert delivery.service == {"gatewayRefs": [parent]}
    made = linkerd().route(model(progressive={}), "llm.example.com")
    routes = [each for each in made if each["kind"] == "HTTPRoute"]
    assert [route["metadata"]["name"] for route in routes] == [f"{SERVICE}-gateway"]
    for rule in routes[0]["spec"]["rules"]:
        assert [backend["name"] for backend in rule["backendRefs"]] == [SERVICE]


def test_retries_and_timeouts_are_the_services_where_flagger_has_the_route() -> None:
    annotations = on_service(progressive={})
    assert annotations["retry.linkerd.io/limit"] == "1"
    assert annotations["timeout.linkerd.io/response"] == "30s"
    assert annotations["balancer.linkerd.io/failure-accrual"] == "consecutive"
    assert not {"retry.linkerd.io/limit", "timeout.linkerd.io/response"} & set(on_service())
    assert "timeout" not in linkerd().deliver(model(progressive={}, traffic=TRAFFIC)).service


def test_success_is_that_of_callers_in_the_mesh_at_the_new_versions_pods() -> None:
    query = linkerd().deliver(model(progressive={})).success_rate
    where = f'direction="inbound",tls="true",namespace="ai-inference",deployment="{NAME}"'
    good = f'sum(rate(response_total{{{where},classification="success"}}[{{{{ interval }}}}]))'
    assert query == f"100 * {good} / sum(rate(response_total{{{where}}}[{{{{ interval }}}}]))"


def test_flagger_is_in_the_mesh_and_may_read_linkerds_own_prometheus() -> None:
    joined = linkerd().deliverer()
    assert joined.namespace.annotations == {"linkerd.io/inject": "enabled"}
    assert joined.namespace.labels == {"pod-security.kubernetes.io/enforce": "privileged"}
    assert joined.values == {"linkerdAuthPolicy": {"create": True}}


def test_another_prometheus_has_rules_of_its_own() -> None:
    mine = {"prometheus": "http://prometheus.monitoring:9090"}
    assert linkerd(viz=mine).deliverer().values == {}
    assert linkerd(viz=None).deliverer().values == {}
