from __future__ import annotations

from typing import Any

from components.ai_gateway import names
from components.kubernetes import Manifest
from components.mesh import gateway_api
from components.mesh.istio import Istio, gateway, metering
from components.mesh.istio.settings import IstioSettings
from tests.components.samples import istio, model

BUDGET = {"tokenBudget": {"tokens": 1000, "header": "x-user-id"}}
HOST = "llm.example.com"


def at_gateway(**settings: Any) -> list[dict[str, Any]]:
    """The routes of a model with a budget at the gateway."""
    traffic = settings.pop("traffic", {}) | BUDGET
    routes = istio().route(model(traffic=traffic, **settings), HOST)
    (found,) = (
        item
        for item in routes
        if isinstance(item, dict)
        and item["kind"] == "VirtualService"
        and item["metadata"]["name"].endswith("-gateway")
    )
    return list(found["spec"]["http"])


def rules(item: Manifest) -> dict[str, tuple[str, ...]]:
    """The methods of each principal."""
    found = {}
    for rule in item["spec"]["rules"]:
        (source,), (operation,) = rule["from"], rule["to"]
        (principal,) = source["source"]["principals"]
        found[principal] = tuple(operation["operation"].get("methods", ()))
    return found


def test_what_may_generate_goes_to_the_ai_gateway_and_the_rest_to_the_model() -> None:
    counted, rest = at_gateway()
    assert counted["match"] == [{"method": {"regex": "POST|PUT|PATCH|DELETE"}}]
    assert counted["route"][0]["destination"]["host"] == names.HOST
    assert rest["route"][0]["destination"]["host"] == model().service_host
    assert "match" not in rest


def test_the_ai_gateway_is_told_the_model_by_host_and_believes_no_caller() -> None:
    counted, _ = at_gateway(route={"prefix": "/chat"})
    assert counted["rewrite"] == {"uri": "/", "authority": model().service_host}
    assert [match["uri"] for match in counted["match"]] == [
        {"prefix": "/chat/"},
        {"exact": "/chat"},
    ]
    assert counted["headers"]["request"]["remove"] == [names.MODEL_HEADER]


def test_tries_and_weights_are_left_to_the_call_inside() -> None:
    canary = {"image": "x/y:1", "weight": 10, "headers": {"x-version": "canary"}}
    counted, *_ = at_gateway(canary=canary, traffic={"timeouts": {"response": "100s"}})
    assert counted["retries"] == {"attempts": 0}
    assert counted["timeout"] == "100s"
    assert len(counted["route"]) == 1


def test_nobody_generates_through_the_gateway_past_the_count() -> None:
    (policy,) = istio().authorize(model(traffic=BUDGET), True)
    settings = IstioSettings(kind="istio")
    assert rules(policy) == {
        gateway.principal(settings): names.FREE_METHODS,
        metering.principal(settings): names.COUNTED_METHODS,
    }


def test_without_a_budget_the_gateway_may_do_all_and_the_ai_gateway_nothing() -> None:
    (policy,) = istio().authorize(model(), True)
    assert rules(policy) == {gateway.principal(IstioSettings(kind="istio")): ()}


def test_only_the_gateway_may_call_the_proxies() -> None:
    (policy,) = istio(trust_domain="td.example").meter().policies
    assert policy["spec"]["action"] == "DENY"
    (rule,) = policy["spec"]["rules"]
    principals = rule["from"][0]["source"]["notPrincipals"]
    assert principals == [gateway.principal(IstioSettings(kind="istio", trust_domain="td.example"))]
    assert rule["to"] == [{"operation": {"ports": [str(names.PORT)]}}]


def test_the_proxies_join_by_their_own_label_and_the_revision() -> None:
    proxies = istio(revision="stable").meter().proxies
    assert proxies.labels == {"istio.io/rev": "stable", "sidecar.istio.io/inject": "true"}
    past = proxies.annotations["traffic.sidecar.istio.io/excludeOutboundPorts"]
    assert past == "8081,18000,18001,18002"


def test_the_gateway_api_is_installed_first_unless_another_owns_it() -> None:
    owner = Istio(IstioSettings(kind="istio"), token_budgets=True)
    assert owner.install()[0] == gateway_api.definitions()
    other = Istio(IstioSettings(kind="istio", gateway_api=False), token_budgets=True)
    assert other.install() == istio().install()
