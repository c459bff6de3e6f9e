from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import Manifest
from components.model.model import Model
from tests.components.samples import istio, model

HOST = "deepseek-r1-1-5b.ai-inference.svc.cluster.local"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
PUBLIC = "llm.example.com"


def virtual_services(made: Model, gateway_host: str | None) -> list[Manifest]:
    routing = istio().route(made, gateway_host)
    return [item for item in routing if item["kind"] == "VirtualService"]


def objects(gateway_host: str | None = PUBLIC, **settings: Any) -> dict[str, Manifest]:
    """The specs of a model's objects by kind; of its VirtualServices the one for the mesh."""
    made = istio().route(model(**settings), gateway_host)
    return {item["kind"]: item["spec"] for item in reversed(made)}


def at_gateway(**settings: Any) -> Manifest:
    """The spec of a model's VirtualService for the gateway."""
    return dict(istio().route(model(**settings), PUBLIC)[-1]["spec"])


def routes(gateway_host: str | None = PUBLIC, **settings: Any) -> list[dict[str, Any]]:
    return list(objects(gateway_host, **settings)["VirtualService"]["http"])


def policy(**traffic: Any) -> dict[str, Any]:
    return dict(objects(traffic=traffic)["DestinationRule"]["trafficPolicy"])


@pytest.mark.parametrize("canary", [None, CANARY])
def test_every_destination_of_a_route_is_a_subset_that_is_defined(canary: Any) -> None:
    made = objects(canary=canary)
    defined = {subset["name"] for subset in made["DestinationRule"]["subsets"]}
    routed = {
        entry["destination"]["subset"]
        for route in made["VirtualService"]["http"]
        for entry in route["route"]
    }
    assert routed <= defined
    assert ("canary" in routed) == (canary is not None)
    assert made["DestinationRule"]["host"] == HOST


def test_a_subset_selects_the_pods_of_its_version() -> None:
    # Also without a canary: a route that still names it must not break while it goes.
    subsets = objects()["DestinationRule"]["subsets"]
    assert subsets == [
        {"name": "stable", "labels": {"version": "stable"}},
        {"name": "canary", "labels": {"version": "canary"}},
    ]


def test_requests_are_divided_by_weight() -> None:
    (route,) = routes(canary=CANARY)
    assert [entry["weight"] for entry in route["route"]] == [90, 10]
    assert {entry["destination"]["host"] for entry in route["route"]} == {HOST}


def test_a_stream_is_not_cut_by_a_timeout() -> None:
    (route,) = routes()
    assert "timeout" not in route
    assert "perTryTimeout" not in route["retries"]


def test_a_timeout_that_is_asked_for_is_set() -> None:
    timeouts = {"response": "30s", "firstByte": "10s"}
    (route,) = routes(traffic={"timeouts": timeouts})
    assert route["timeout"] == "30s"
    assert route["retries"]["perTryTimeout"] == "10s"


def test_retries_are_never_of_an_answer_of_the_server() -> None:
    (route,) = routes()
    conditions = route["retries"]["retryOn"].split(",")
    assert conditions == ["connect-failure", "refused-stream", "reset-before-request"]
    assert not {"5xx", "503", "reset", "gateway-error"} & set(conditions)


def test_retries_switched_off_are_written_so_since_istio_retries_by_default() -> None:
    (route,) = routes(traffic={"retries": {"attempts": 0}})
    assert route["retries"] == {"attempts": 0}


@pytest.mark.parametrize("settings", [{"gateway_host": None}, {"route": None}])
def test_a_model_without_a_gateway_is_reached_in_the_mesh_alone(settings: Any) -> None:
    gateway_host = settings.pop("gateway_host", PUBLIC)
    (routing,) = virtual_services(model(**settings), gateway_host)
    assert routing["spec"]["hosts"] == [HOST]
    assert routing["spec"]["gateways"] == ["mesh"]


def test_the_gateway_offers_a_model_on_its_host_or_the_models_own() -> None:
    assert at_gateway()["hosts"] == [PUBLIC]
    assert at_gateway()["gateways"] == ["istio-ingress/inference"]
    assert at_gateway(route={"host": "deepseek.example.com"})["hosts"] == ["deepseek.example.com"]


def test_no_two_models_claim_the_gateways_host_inside_the_mesh() -> None:
    for route in virtual_services(model(), PUBLIC):
        assert (PUBLIC in route["spec"]["hosts"]) != ("mesh" in route["spec"]["gateways"])


def test_the_routes_of_the_mesh_and_of_the_gateway_have_names_of_their_own() -> None:
    names = [item["metadata"]["name"] for item in virtual_services(model(), PUBLIC)]
    assert names == ["deepseek-r1-1-5b", "deepseek-r1-1-5b-gateway"]


def test_a_model_below_a_prefix_sees_paths_without_it() -> None:
    (route,) = at_gateway(route={"prefix": "/translate"})["http"]
    assert route["match"] == [{"uri": {"prefix": "/translate/"}}, {"uri": {"exact": "/translate"}}]
    assert route["rewrite"] == {"uri": "/"}
    (inside,) = routes(route={"prefix": "/translate"})
    assert "match" not in inside
    assert "rewrite" not in inside


def test_both_ways_to_a_model_behave_the_same() -> None:
    canary = CANARY | {"headers": {"x-version": "canary"}}
    for one, other in zip(routes(canary=canary), at_gateway(canary=canary)["http"], strict=True):
        assert one | {"name": ""} == other | {"name": ""}


@pytest.mark.parametrize("prefix", ["/", "//"])
def test_the_root_is_no_prefix(prefix: str) -> None:
    (route,) = at_gateway(route={"prefix": prefix})["http"]
    assert "match" not in route


def test_a_pod_is_chosen_by_outstanding_requests_and_warms_up() -> None:
    assert policy()["loadBalancer"] == {"simple": "LEAST_REQUEST", "warmup": {"duration": "60s"}}
    cold = policy(balancing={"policy": "least-request", "warmUp": None})
    assert cold["loadBalancer"] == {"simple": "LEAST_REQUEST"}


def test_a_pod_is_chosen_by_the_value_of_a_header() -> None:
    chosen = policy(balancing={"policy": "consistent-hash", "header": "x-session-id"})
    ring = {"minimumRingSize": 4096}
    assert chosen["loadBalancer"] == {
        "consistentHash": {"httpHeaderName": "x-session-id", "ringHash": ring}
    }


def test_connections_are_kept_unless_a_limit_is_asked_for() -> None:
    assert "maxRequestsPerConnection" not in policy()["connectionPool"]["http"]
    limited = policy(connectionPool={"maxRequestsPerConnection": 10})
    assert limited["connectionPool"]["http"]["maxRequestsPerConnection"] == 10


def test_every_part_of_the_pool_can_be_overridden() -> None:
    pool = policy(
        connectionPool={
            "maxConnections": 100,
            "maxPendingRequests": 50,
            "maxRequests": 200,
            "http2Upgrade": True,
        },
        timeouts={"connect": "2s", "idle": "5m"},
    )["connectionPool"]
    assert pool["tcp"]["maxConnections"] == 100
    assert pool["tcp"]["connectTimeout"] == "2s"
    assert pool["http"] == {
        "http1MaxPendingRequests": 50,
        "http2MaxRequests": 200,
        "idleTimeout": "5m",
        "h2UpgradePolicy": "UPGRADE",
    }


def test_a_silent_prefill_keeps_its_connection_alive() -> None:
    assert policy()["connectionPool"]["tcp"]["tcpKeepalive"] == {"time": "300s", "interval": "30s"}


def test_a_fault_that_all_pods_share_leaves_half_of_them() -> None:
    assert policy()["outlierDetection"] == {
        "consecutive5xxErrors": 5,
        "interval": "10s",
        "baseEjectionTime": "30s",
        "maxEjectionPercent": 50,
    }


def versions(route: dict[str, Any]) -> dict[str, int]:
    return {entry["destination"]["subset"]: entry.get("weight", 100) for entry in route["route"]}


def test_a_header_pins_a_request_to_the_canary() -> None:
    pinned, rest = routes(canary=CANARY | {"headers": {"x-version": "canary"}})
    assert pinned["match"] == [{"headers": {"x-version": {"exact": "canary"}}}]
    assert versions(pinned) == {"canary": 100}
    assert versions(rest) == {"stable": 90, "canary": 10}


def test_a_cookie_keeps_a_user_with_the_version_of_the_first_answer() -> None:
    *kept, split = routes(canary=CANARY | {"sticky": True})
    assert [versions(route) for route in kept] == [{"stable": 100}, {"canary": 100}]
    for entry in split["route"]:
        cookie = entry["headers"]["response"]["add"]["set-cookie"]
        version = entry["destination"]["subset"]
        assert cookie.startswith(f"deepseek-r1-1-5b-version={version};")


def test_a_cookie_is_recognised_whole_and_among_others() -> None:
    stable, canary, _ = routes(canary=CANARY | {"sticky": True})
    name = "deepseek-r1-1-5b-version"
    for route, version in ((stable, "stable"), (canary, "canary")):
        (match,) = route["match"]
        pattern = re.compile(match["headers"]["cookie"]["regex"])
        for cookie in (f"{name}={version}", f"a=b; {name}={version}; c=d", f"a=b;{name}={version}"):
            assert pattern.fullmatch(cookie)
        for cookie in (f"{name}={version}x", f"x{name}={version}", f"a={name}={version}", "a=b"):
            assert not pattern.fullmatch(cookie)


def test_a_header_is_stronger_than_a_cookie() -> None:
    canary = CANARY | {"sticky": True, "headers": {"x-version": "canary"}}
    assert [route["name"].removeprefix("deepseek-r1-1.5b") for route in routes(canary=canary)] == [
        "-by-header",
        "-keeps-stable",
        "-keeps-canary",
        "",
    ]


@pytest.mark.parametrize("headers", [{}, None])
def test_without_headers_and_cookies_there_is_one_kind_of_request(headers: Any) -> None:
    (route,) = routes(canary=CANARY | ({} if headers is None else {"headers": headers}))
    assert "match" not in route
    assert all("headers" not in entry for entry in route["route"])


def test_below_a_prefix_every_kind_of_request_is_below_it() -> None:
    canary = CANARY | {"headers": {"x-version": "canary"}}
    pinned, rest = at_gateway(canary=canary, route={"prefix": "/chat"})["http"]
    assert pinned["name"] == "deepseek-r1-1.5b-gateway-by-header"
    assert rest["name"] == "deepseek-r1-1.5b-gateway"
    assert len(pinned["match"]) == 2
    assert all({"uri", "headers"} == set(match) for match in pinned["match"])


def test_every_kind_of_request_behaves_the_same() -> None:
    canary = CANARY | {"sticky": True, "headers": {"x-version": "canary"}}
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    timeouts = {"response": "30s", "firstByte": "10s"}
    made = routes(canary=canary, traffic={"fault": fault, "timeouts": timeouts})
    assert len(made) == 5
    for route in made:
        assert route["timeout"] == "30s"
        assert route["retries"] == made[-1]["retries"]


def mirrored(percent: int = 5, **settings: Any) -> Model:
    mirror = {"model": "staging", "percent": percent, "sideEffects": "none"}
    source = model(traffic={"mirror": mirror}, **settings)
    return replace(source, mirror=model("staging", namespace="llm-staging"))


def test_a_share_of_the_requests_is_mirrored_to_another_model() -> None:
    (routing,) = virtual_services(mirrored(), None)
    (route,) = routing["spec"]["http"]
    assert route["mirror"] == {
        "host": "staging.llm-staging.svc.cluster.local",
        "subset": "stable",
        "port": {"number": 8000},
    }
    assert route["mirrorPercentage"] == {"value": 5}


def test_a_mirror_is_called_on_its_own_service_and_port() -> None:
    target = model("staging", service="llm", runtime={"kind": "vllm", "port": 9000})
    (routing,) = virtual_services(replace(mirrored(), mirror=target), None)
    destination = routing["spec"]["http"][0]["mirror"]
    assert destination["host"] == target.service_host == "llm.ai-inference.svc.cluster.local"
    assert destination["port"] == {"number": 9000}


def test_every_kind_of_request_is_mirrored() -> None:
    canary = CANARY | {"sticky": True, "headers": {"x-version": "canary"}}
    routing = virtual_services(mirrored(7, canary=canary, route={"prefix": "/chat"}), PUBLIC)
    http = [route for each in routing for route in each["spec"]["http"]]
    assert len(http) == 8
    assert all(route["mirrorPercentage"] == {"value": 7} for route in http)


def test_no_request_is_mirrored_unless_it_is_asked_for() -> None:
    (route,) = routes()
    assert not {"mirror", "mirrorPercentage", "fault"} & set(route)


def test_a_fault_disturbs_a_share_of_the_requests() -> None:
    (route,) = routes(traffic={"fault": {"percent": 20, "delay": "5s", "abort": 503}})
    share = {"percentage": {"value": 20}}
    assert route["fault"] == {
        "delay": share | {"fixedDelay": "5s"},
        "abort": share | {"httpStatus": 503},
    }


@pytest.mark.parametrize("effect", [{"delay": "5s"}, {"abort": 503}])
def test_a_fault_does_what_it_says_and_no_more(effect: dict[str, Any]) -> None:
    (route,) = routes(traffic={"fault": {"percent": 20} | effect})
    assert set(route["fault"]) == set(effect)


def test_a_fault_without_headers_is_for_every_kind_of_request() -> None:
    canary = CANARY | {"sticky": True, "headers": {"x-version": "canary"}}
    made = routes(canary=canary, traffic={"fault": {"percent": 20, "abort": 503}})
    assert len(made) == 4
    assert all("fault" in route for route in made)


def test_a_fault_by_header_comes_before_a_pin_by_header() -> None:
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    canary = CANARY | {"headers": {"x-version": "canary"}}
    disturbed, *others = routes(canary=canary, traffic={"fault": fault})
    assert disturbed["match"] == [{"headers": {"x-chaos": {"exact": "yes"}}}]
    assert "fault" in disturbed
    assert versions(disturbed) == {"stable": 90, "canary": 10}
    assert len(others) == 2
    assert not any("fault" in route for route in others)
