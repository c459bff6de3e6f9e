from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import Manifest, recommended_labels
from components.mesh import gateway_api
from components.model import objects
from components.model.model import Model
from tests.components.samples import model

CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
HTTPS = gateway_api.reference("inference", "istio-ingress", "https")


def rules(**settings: Any) -> list[dict[str, Any]]:
    return list(gateway_api.service_route(model(**settings))["spec"]["rules"])


def gateway_rules(split: bool = True, **settings: Any) -> list[dict[str, Any]]:
    made = gateway_api.gateway_route(model(**settings), "llm.example.com", HTTPS, split=split)
    return list(made["spec"]["rules"])


def weights(rule: dict[str, Any]) -> dict[str, int]:
    return {backend["name"]: backend.get("weight", 1) for backend in rule["backendRefs"]}


def mirrored() -> tuple[Model, Model]:
    """A model, and the one in another namespace that gets a copy of its requests."""
    mirror = {"model": "staging", "percent": 5, "sideEffects": "none"}
    source, target = model(traffic={"mirror": mirror}), model("staging", namespace="llm-staging")
    return replace(source, mirror=target), replace(target, mirrored_from=(source,))


def test_the_parent_of_a_route_in_the_mesh_is_a_service_of_the_core_group() -> None:
    (parent,) = gateway_api.service_route(model())["spec"]["parentRefs"]
    # Left out, the group would be the Gateway API's own.
    assert parent == {"group": "", "kind": "Service", "name": "deepseek-r1-1-5b"}


def test_requests_are_divided_among_the_services_of_the_versions() -> None:
    (rule,) = rules(canary=CANARY)
    assert weights(rule) == {"deepseek-r1-1-5b-stable": 90, "deepseek-r1-1-5b-canary": 10}


@pytest.mark.parametrize("canary", [None, CANARY])
def test_every_backend_of_a_route_is_a_service_that_is_made(canary: Any) -> None:
    made = {service["metadata"]["name"] for service in gateway_api.version_services(model())}
    assert {name for rule in rules(canary=canary) for name in weights(rule)} <= made


def test_the_service_of_a_version_selects_its_pods_alone() -> None:
    asked = model(canary=CANARY)
    for service, version in zip(
        gateway_api.version_services(asked), ("stable", "canary"), strict=True
    ):
        assert service["spec"]["selector"] == asked.selector | {"version": version}
        assert service["spec"]["ports"] == objects.service(asked)["spec"]["ports"]
        assert service["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_header_pins_a_request_to_the_canary_before_weights_apply() -> None:
    pinned, split = rules(canary=CANARY | {"headers": {"x-model-version": "canary"}})
    header = {"type": "Exact", "name": "x-model-version", "value": "canary"}
    assert pinned["matches"] == [{"headers": [header]}]
    assert weights(pinned) == {"deepseek-r1-1-5b-canary": 1}
    assert "matches" not in split


def test_a_cookie_keeps_a_user_with_the_version_of_the_first_answer() -> None:
    *kept, split = rules(canary=CANARY | {"sticky": True})
    given = [
        backend["filters"][0]["responseHeaderModifier"]["add"][0]["value"]
        for backend in split["backendRefs"]
    ]
    for rule, set_cookie in zip(kept, given, strict=True):
        pattern = rule["matches"][0]["headers"][0]["value"]
        cookie = set_cookie.partition(";")[0]
        assert re.fullmatch(pattern, f"a=b; {cookie}; c=d")
        assert not re.fullmatch(pattern, f"{cookie}x")
        assert list(weights(rule)) == [f"deepseek-r1-1-5b-{cookie.partition('=')[2]}"]


def test_timeouts_are_on_every_rule() -> None:
    asked = model(canary=CANARY | {"headers": {"x-model-version": "canary"}})
    made = gateway_api.service_route(asked, {"request": "30s"})["spec"]["rules"]
    assert [rule["timeouts"] for rule in made] == [{"request": "30s"}] * 2


def test_no_timeout_is_there_unless_asked_for() -> None:
    assert all("timeouts" not in rule for rule in rules(canary=CANARY))


def test_a_part_of_the_requests_is_mirrored_to_the_other_models_stable_version() -> None:
    source, _ = mirrored()
    (rule,) = gateway_api.service_route(source)["spec"]["rules"]
    (copy,) = rule["filters"]
    assert copy["requestMirror"]["percent"] == 5
    backend = copy["requestMirror"]["backendRef"]
    assert (backend["namespace"], backend["name"]) == ("llm-staging", "staging-stable")


def test_the_namespace_of_a_mirror_grants_the_route_of_the_other_one() -> None:
    source, target = mirrored()
    (grant,) = gateway_api.mirror_grant(target)
    assert grant["metadata"]["namespace"] == "llm-staging"
    assert [entry["namespace"] for entry in grant["spec"]["from"]] == [source.namespace]
    assert [entry["name"] for entry in grant["spec"]["to"]] == ["staging-stable"]


def test_a_mirror_in_the_same_namespace_needs_no_grant() -> None:
    assert gateway_api.mirror_grant(replace(model(), mirrored_from=(model("other"),))) == ()


def test_a_gateway_that_splits_has_the_rules_of_the_mesh() -> None:
    assert gateway_rules(canary=CANARY) == rules(canary=CANARY)


def test_a_gateway_that_does_not_split_sends_all_to_the_models_service() -> None:
    (rule,) = gateway_rules(split=False, canary=CANARY)
    assert weights(rule) == {"deepseek-r1-1-5b": 1}


@pytest.mark.parametrize("split", [True, False])
def test_a_prefix_is_taken_away_at_the_gateway(split: bool) -> None:
    (rule,) = gateway_rules(split, route={"prefix": "/chat/"})
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/chat"}}]
    (rewrite,) = rule["filters"]
    assert rewrite["urlRewrite"]["path"]["replacePrefixMatch"] == "/"


def test_a_prefix_and_a_header_are_matched_together() -> None:
    canary = CANARY | {"headers": {"x-model-version": "canary"}}
    pinned, _ = gateway_rules(canary=canary, route={"prefix": "/chat"})
    (match,) = pinned["matches"]
    assert (match["path"]["value"], match["headers"][0]["value"]) == ("/chat", "canary")


def test_a_route_of_the_gateway_is_for_its_host_alone() -> None:
    made = gateway_api.gateway_route(model(), "llm.example.com", HTTPS, split=True)
    assert made["spec"]["hostnames"] == ["llm.example.com"]
    assert made["spec"]["parentRefs"] == [HTTPS]


def listening() -> tuple[Manifest, Manifest]:
    return gateway_api.gateway("inference", "istio-ingress", "istio", "inference-tls")


def test_plain_http_is_redirected() -> None:
    gateway, redirect = listening()
    (parent,) = redirect["spec"]["parentRefs"]
    listeners = {each["name"]: each for each in gateway["spec"]["listeners"]}
    assert listeners[parent["sectionName"]]["protocol"] == "HTTP"
    (rule,) = redirect["spec"]["rules"]
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}


def test_https_has_the_certificate() -> None:
    gateway, _ = listening()
    (https,) = (each for each in gateway["spec"]["listeners"] if each["protocol"] == "HTTPS")
    assert https["tls"]["certificateRefs"] == [{"kind": "Secret", "name": "inference-tls"}]


def test_every_namespace_that_this_program_makes_is_a_member() -> None:
    labels = recommended_labels("ai-inference", "namespace")
    assert labels.items() >= gateway_api.MEMBERS.items()


def test_a_gateway_takes_the_routes_of_this_programs_namespaces_alone() -> None:
    gateway, _ = listening()
    for listener in gateway["spec"]["listeners"]:
        namespaces = listener["allowedRoutes"]["namespaces"]
        assert namespaces["selector"] == {"matchLabels": gateway_api.MEMBERS}
