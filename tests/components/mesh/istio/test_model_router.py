from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from components.mesh.istio import model_router
from components.mesh.protocol import Ingress
from tests.components.samples import NAME, istio, model

HOSTS = ("llm.example.com", "other.example.com")
INGRESS = Ingress(HOSTS, "certificate", 30, open_hosts=HOSTS, model_hosts=HOSTS[:1])


def made(ingress: Ingress = INGRESS) -> dict[str, Manifest]:
    return {item["kind"]: item["spec"] for item in istio().expose(ingress)}


def patches() -> dict[str, Any]:
    return {patch["applyTo"]: patch for patch in made()["EnvoyFilter"]["configPatches"]}


def routes(**settings: Any) -> list[dict[str, Any]]:
    return list(istio().route(model(**settings), HOSTS[0])[-1]["spec"]["http"])


def test_the_router_is_installed_where_a_host_asks_for_it_alone() -> None:
    assert [chart.name for chart in istio().gateway(INGRESS)] == ["gateway", "body-based-routing"]
    without = Ingress(HOSTS, "certificate", 30)
    assert [chart.name for chart in istio().gateway(without)] == ["gateway"]
    assert "EnvoyFilter" not in made(without)


def test_the_router_is_as_available_as_the_gateway_that_cannot_do_without_it() -> None:
    for available, replicas in ((True, 2), (False, 1)):
        _, chart = istio(high_availability=available).gateway(INGRESS)
        assert chart.values["bbr"]["replicas"] == replicas


def test_a_model_is_taken_by_its_name_in_the_header_that_the_router_writes() -> None:
    (route,) = routes(route={"byModel": True})
    assert route["match"] == [{"headers": {"x-gateway-model-name": {"exact": NAME}}}]
    (chart,) = [chart for chart in istio().gateway(INGRESS) if chart.name == "body-based-routing"]
    # The chart's default plugins write it, in HTTP/1's capitals; they are not replaced.
    assert "plugins" not in chart.values["bbr"]


def test_a_name_and_a_prefix_are_asked_for_together() -> None:
    (route,) = routes(route={"byModel": True, "prefix": "/chat"})
    named = {"headers": {"x-gateway-model-name": {"exact": NAME}}}
    assert route["match"] == [
        {"uri": {"prefix": "/chat/"}} | named,
        {"uri": {"exact": "/chat"}} | named,
    ]


def test_a_request_of_a_special_kind_still_has_to_name_the_model() -> None:
    canary = {"image": "x/y:1", "weight": 10, "headers": {"x-version": "canary"}}
    pinned, rest = routes(route={"byModel": True}, canary=canary)
    assert set(pinned["match"][0]["headers"]) == {"x-gateway-model-name", "x-version"}
    assert set(rest["match"][0]["headers"]) == {"x-gateway-model-name"}


def test_callers_inside_the_mesh_need_no_name() -> None:
    routing = istio().route(model(route={"byModel": True}), HOSTS[0])
    inside, _ = (item for item in routing if item["kind"] == "VirtualService")
    assert "match" not in inside["spec"]["http"][0]


def test_the_router_reads_the_requests_of_its_hosts_alone_and_no_answers() -> None:
    value = patches()["HTTP_FILTER"]["patch"]["value"]
    assert value["disabled"] is True
    mode = value["typed_config"]["processing_mode"]
    assert mode["request_body_mode"] == "FULL_DUPLEX_STREAMED"
    assert mode["response_header_mode"] == "SKIP"
    assert "response_body_mode" not in mode
    switch = patches()["VIRTUAL_HOST"]
    assert switch["match"]["routeConfiguration"]["vhost"]["name"] == "llm.example.com:443"
    assert value["name"] in switch["patch"]["value"]["typed_per_filter_config"]
    assert len(made()["EnvoyFilter"]["configPatches"]) == 2


def test_the_filter_asks_the_service_that_the_chart_makes() -> None:
    _, chart = istio().gateway(INGRESS)
    typed = patches()["HTTP_FILTER"]["patch"]["value"]["typed_config"]
    cluster = typed["grpc_service"]["envoy_grpc"]["cluster_name"]
    name, port = chart.values["bbr"]["name"], chart.values["bbr"]["port"]
    assert cluster == f"outbound|{port}||{name}.{chart.namespace}.svc.cluster.local"
    assert cluster.endswith(made()["DestinationRule"]["host"])


def test_a_request_fails_where_nobody_can_say_which_model_it_is_for() -> None:
    typed = patches()["HTTP_FILTER"]["patch"]["value"]["typed_config"]
    assert typed["failure_mode_allow"] is False


def test_the_hosts_are_those_that_the_gateway_serves_by_https() -> None:
    https, _ = made()["Gateway"]["servers"]
    assert https["port"]["number"] == 443
    assert model_router.objects(HOSTS)[1]["spec"]["workloadSelector"] == {
        "labels": made()["Gateway"]["selector"]
    }
