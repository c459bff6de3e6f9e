from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import Manifest
from tests.components.samples import CUSTOM, linkerd, model

SERVICE = "deepseek-r1-1-5b"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
HOST = "llm.example.com"


def routes(gateway_host: str | None = HOST, **settings: Any) -> dict[str, Manifest]:
    """The routes of a model by name."""
    made = linkerd().route(model(**settings), gateway_host)
    return {item["metadata"]["name"]: item for item in made if item["kind"] == "HTTPRoute"}


def rules(**settings: Any) -> list[dict[str, Any]]:
    return list(routes(**settings)[SERVICE]["spec"]["rules"])


def annotations(**traffic: Any) -> dict[str, str]:
    return dict(routes(traffic=traffic)[SERVICE]["metadata"].get("annotations", {}))


def on_service(**traffic: Any) -> dict[str, str]:
    return linkerd().service_metadata(model(traffic=traffic)).annotations


def weights(rule: dict[str, Any]) -> dict[str, int]:
    return {backend["name"]: backend.get("weight", 1) for backend in rule["backendRefs"]}


def at_gateway(**settings: Any) -> list[dict[str, Any]]:
    return list(routes(**settings)[f"{SERVICE}-gateway"]["spec"]["rules"])


def test_requests_are_divided_by_weight_among_the_services_of_the_versions() -> None:
    (rule,) = rules(canary=CANARY)
    assert weights(rule) == {f"{SERVICE}-stable": 90, f"{SERVICE}-canary": 10}
    made = linkerd().route(model(canary=CANARY), HOST)
    services = {item["metadata"]["name"] for item in made if item["kind"] == "Service"}
    assert set(weights(rule)) <= services


def test_a_header_pins_a_request_to_the_canary() -> None:
    pinned, _ = rules(canary=CANARY | {"headers": {"x-model-version": "canary"}})
    (header,) = pinned["matches"][0]["headers"]
    assert (header["name"], header["value"]) == ("x-model-version", "canary")
    assert list(weights(pinned)) == [f"{SERVICE}-canary"]


def test_a_cookie_keeps_a_user_with_a_version() -> None:
    kept, _, split = rules(canary=CANARY | {"sticky": True})
    assert kept["matches"][0]["headers"][0]["name"] == "cookie"
    assert all("responseHeaderModifier" in entry["filters"][0] for entry in split["backendRefs"])


def test_no_timeout_cuts_a_stream_by_default() -> None:
    made = routes()
    assert not any(key.startswith("timeout.") for key in annotations())
    assert all("timeouts" not in rule for rule in made[SERVICE]["spec"]["rules"])
    # Without one of its own the gateway would end a response after 15 s.
    assert [rule["timeouts"] for rule in at_gateway()] == [{"request": "0s"}]


def test_a_timeout_of_the_whole_response_is_set_where_asked_for() -> None:
    assert annotations(timeouts={"response": "30s"})["timeout.linkerd.io/response"] == "30s"
    (rule,) = at_gateway(traffic={"timeouts": {"response": "30s"}})
    assert rule["timeouts"] == {"request": "30s"}


def test_a_stream_is_never_cut_for_being_idle() -> None:
    assert "timeout.linkerd.io/idle" not in annotations(timeouts={"response": "30s"})


def test_retries_are_limited_and_name_no_status_so_that_no_generation_is_repeated() -> None:
    assert annotations() == {"retry.linkerd.io/limit": "2"}
    assert annotations(retries={"attempts": 5}) == {"retry.linkerd.io/limit": "5"}


def test_no_retries_are_no_annotation() -> None:
    assert annotations(retries={"attempts": 0}) == {}


def test_a_pod_that_fails_is_left_out_by_the_service_that_callers_name() -> None:
    prefix = "balancer.linkerd.io/failure-accrual"
    assert on_service() == {
        prefix: "consecutive",
        f"{prefix}-consecutive-max-failures": "5",
        f"{prefix}-consecutive-min-penalty": "30000ms",
        f"{prefix}-consecutive-max-penalty": "300000ms",
    }


def test_when_a_pod_is_left_out_is_settable() -> None:
    asked = on_service(outlierDetection={"consecutiveErrors": 3, "ejectionTime": "500ms"})
    prefix = "balancer.linkerd.io/failure-accrual-consecutive"
    assert asked[f"{prefix}-max-failures"] == "3"
    assert asked[f"{prefix}-min-penalty"] == "500ms"


def test_out_of_the_mesh_the_service_carries_nothing() -> None:
    asked = replace(model(), adoption="unmeshed")
    assert linkerd().service_metadata(asked).annotations == {}


def test_the_gateway_sends_all_to_the_service_behind_which_linkerd_chooses() -> None:
    made = routes(canary=CANARY)[f"{SERVICE}-gateway"]["spec"]
    assert made["hostnames"] == [HOST]
    assert made["parentRefs"][0]["namespace"] == "envoy-gateway-system"
    assert [weights(rule) for rule in made["rules"]] == [{SERVICE: 1}]


def test_a_model_of_its_own_host_is_served_there() -> None:
    assert routes(route={"host": "b.example.com"})[f"{SERVICE}-gateway"]["spec"]["hostnames"] == [
        "b.example.com"
    ]


@pytest.mark.parametrize(("host", "route"), [(None, {}), (HOST, None)])
def test_without_a_gateway_or_a_route_there_is_none_through_it(host: Any, route: Any) -> None:
    assert list(routes(host, route=route)) == [SERVICE]


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({}, [("PathPrefix", "/v1", None)]),
        ({"runtime": CUSTOM}, [("PathPrefix", "/", None)]),
        (
            {"route": {"paths": ["/v1/models", "/api/*"]}},
            [("Exact", "/v1/models", None), ("PathPrefix", "/api", None)],
        ),
        (
            {"route": {"prefix": "/chat/"}},
            [
                (
                    "PathPrefix",
                    "/chat/v1",
                    {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"},
                )
            ],
        ),
        (
            {"route": {"prefix": "/chat", "paths": ["/v1/models"]}},
            [
                (
                    "Exact",
                    "/chat/v1/models",
                    {"type": "ReplaceFullPath", "replaceFullPath": "/v1/models"},
                )
            ],
        ),
        (
            {"runtime": CUSTOM, "route": {"prefix": "/chat"}},
            [("PathPrefix", "/chat", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"})],
        ),
    ],
)
def test_the_gateway_offers_the_public_paths_alone_below_the_prefix(
    settings: dict[str, Any], places: list[Any]
) -> None:
    found = []
    for rule in at_gateway(**settings):
        path = rule["matches"][0]["path"]
        filters = rule.get("filters")
        rewrite = filters[0]["urlRewrite"]["path"] if filters else None
        found.append((path["type"], path["value"], rewrite))
    assert found == places
