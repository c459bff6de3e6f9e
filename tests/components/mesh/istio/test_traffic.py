from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import Manifest
from components.model.model import Model
from tests.components.samples import istio, model

HOST = "deepseek-r1-1-5b.ai-inference.svc.cluster.local"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
PUBLIC = "llm.example.com"


def objects(gateway_host: str | None = PUBLIC, **settings: Any) -> dict[str, Manifest]:
    made = istio().route(model(**settings), gateway_host)
    return {item["kind"]: item["spec"] for item in made}


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


def test_a_model_without_a_gateway_is_reached_in_the_mesh_alone() -> None:
    for settings in ({"gateway_host": None}, {"route": None}):
        spec = objects(**settings)["VirtualService"]
        assert spec["hosts"] == [HOST]
        assert spec["gateways"] == ["mesh"]


def test_the_gateway_offers_a_model_on_its_host_or_the_models_own() -> None:
    assert objects()["VirtualService"]["hosts"] == [HOST, PUBLIC]
    own = objects(route={"host": "deepseek.example.com"})["VirtualService"]
    assert own["hosts"] == [HOST, "deepseek.example.com"]
    assert own["gateways"] == ["mesh", "istio-ingress/inference"]


def test_a_model_below_a_prefix_sees_paths_without_it() -> None:
    at_gateway, in_mesh = routes(route={"prefix": "/translate"})
    only = {"gateways": ["istio-ingress/inference"]}
    assert at_gateway["match"] == [
        {**only, "uri": {"prefix": "/translate/"}},
        {**only, "uri": {"exact": "/translate"}},
    ]
    assert at_gateway["rewrite"] == {"uri": "/"}
    assert in_mesh["match"] == [{"gateways": ["mesh"]}]
    assert "rewrite" not in in_mesh


def test_both_ways_to_a_model_behave_the_same() -> None:
    at_gateway, in_mesh = routes(route={"prefix": "/translate"}, canary=CANARY)
    for key in ("route", "retries"):
        assert at_gateway[key] == in_mesh[key]


@pytest.mark.parametrize("prefix", ["/", "//"])
def test_the_root_is_no_prefix(prefix: str) -> None:
    (route,) = routes(route={"prefix": prefix})
    assert "match" not in route


def test_a_pod_is_chosen_by_outstanding_requests_and_warms_up() -> None:
    assert policy()["loadBalancer"] == {"simple": "LEAST_REQUEST", "warmup": {"duration": "60s"}}
    assert policy(balancing={"warmUp": None})["loadBalancer"] == {"simple": "LEAST_REQUEST"}


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


def test_below_a_prefix_every_kind_of_request_is_below_it() -> None:
    canary = CANARY | {"headers": {"x-version": "canary"}}
    names = [route["name"] for route in routes(canary=canary, route={"prefix": "/chat"})]
    assert names == [
        "deepseek-r1-1.5b-gateway-by-header",
        "deepseek-r1-1.5b-gateway",
        "deepseek-r1-1.5b-by-header",
        "deepseek-r1-1.5b",
    ]
    pinned = routes(canary=canary, route={"prefix": "/chat"})[0]
    assert all({"gateways", "uri", "headers"} == set(match) for match in pinned["match"])


def mirrored(percent: int = 5) -> Model:
    mirror = {"model": "staging", "percent": percent, "sideEffects": "none"}
    source = model(traffic={"mirror": mirror})
    return replace(source, mirror=model("staging", namespace="llm-staging"))


def test_a_share_of_the_requests_is_mirrored_to_another_model() -> None:
    _, routing = istio().route(mirrored(), None)
    (route,) = routing["spec"]["http"]
    assert route["mirror"] == {
        "host": "staging.llm-staging.svc.cluster.local",
        "subset": "stable",
        "port": {"number": 8000},
    }
    assert route["mirrorPercentage"] == {"value": 5}


def test_a_fault_disturbs_a_share_of_the_requests() -> None:
    (route,) = routes(traffic={"fault": {"percent": 20, "delay": "5s", "abort": 503}})
    share = {"percentage": {"value": 20}}
    assert route["fault"] == {
        "delay": share | {"fixedDelay": "5s"},
        "abort": share | {"httpStatus": 503},
    }


def test_a_fault_by_header_comes_before_a_pin_by_header() -> None:
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    canary = CANARY | {"headers": {"x-version": "canary"}}
    disturbed, *others = routes(canary=canary, traffic={"fault": fault})
    assert disturbed["match"] == [{"headers": {"x-chaos": {"exact": "yes"}}}]
    assert "fault" in disturbed
    assert not any("fault" in route for route in others)
