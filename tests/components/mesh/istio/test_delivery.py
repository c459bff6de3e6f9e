from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from tests.components.samples import NAME, istio, model

DELEGATE = {"name": "deepseek-r1-1-5b-release", "namespace": "ai-inference"}


def made(kind: str, **settings: Any) -> dict[str, Manifest]:
    """The specs of a kind by name."""
    wanted = model(**{"progressive": {}, **settings})
    routes = istio().route(wanted, "llm.example.com")
    return {each["metadata"]["name"]: each["spec"] for each in routes if each["kind"] == kind}


def test_flagger_writes_a_route_to_which_the_models_own_delegate() -> None:
    delivery = istio().deliver(model(progressive={}))
    assert delivery.provider == "istio"
    assert delivery.service == {"delegation": True}


def test_success_is_that_of_the_new_versions_requests_as_its_proxy_counts_them() -> None:
    query = istio().deliver(model(progressive={})).success_rate
    where = (
        'reporter="destination",destination_workload_namespace="ai-inference",'
        f'destination_workload="{NAME}"'
    )
    good = f'sum(rate(istio_requests_total{{{where},response_code!~"5.*"}}[{{{{ interval }}}}]))'
    assert query == f"100 * {good} / sum(rate(istio_requests_total{{{where}}}[{{{{ interval }}}}]))"


def test_routes_from_inside_and_outside_leave_the_weights_to_flagger() -> None:
    for spec in made("VirtualService").values():
        weighted, before = spec["http"]
        assert weighted["delegate"] == DELEGATE
        assert "route" not in weighted
        assert weighted["retries"]["attempts"] == 2
        assert "delegate" not in before


def test_until_flagger_has_its_route_the_models_own_pods_serve() -> None:
    for spec in made("VirtualService", route={"prefix": "/chat"}).values():
        weighted, before = spec["http"]
        assert before.get("match") == weighted.get("match")
        assert before.get("rewrite") == weighted.get("rewrite")
        assert [each["destination"]["subset"] for each in before["route"]] == ["stable"]


def test_a_fault_by_header_disturbs_what_flagger_routes() -> None:
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    disturbed, *_ = made("VirtualService", traffic={"fault": fault})["deepseek-r1-1-5b"]["http"]
    assert disturbed["delegate"] == DELEGATE
    assert disturbed["fault"]["abort"]["httpStatus"] == 503


def test_connections_to_flaggers_services_behave_as_to_the_models_own() -> None:
    rules = list(made("DestinationRule", traffic={"timeouts": {"connect": "7s"}}).values())
    assert [rule["host"].partition(".")[0] for rule in rules] == [
        "deepseek-r1-1-5b",
        "deepseek-r1-1-5b-release-primary",
        "deepseek-r1-1-5b-release-canary",
    ]
    assert rules[0]["trafficPolicy"]["connectionPool"]["tcp"]["connectTimeout"] == "7s"
    assert [rule["trafficPolicy"] for rule in rules] == [rules[0]["trafficPolicy"]] * 3
