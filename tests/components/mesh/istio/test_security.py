from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.adoption import Adoption
from components.kubernetes import Manifest
from tests.components.samples import CUSTOM, NAME, istio, model

GATEWAY = "cluster.local/ns/istio-ingress/sa/istio-ingress"
PRINCIPAL = "cluster.local/ns/default/sa/api-gateway"


def policy(has_gateway: bool = True, **settings: Any) -> Manifest:
    (only,) = istio().authorize(model(**settings), has_gateway)
    return only


def sources(**settings: Any) -> list[dict[str, list[str]]]:
    return [
        entry["source"] for rule in policy(**settings)["spec"]["rules"] for entry in rule["from"]
    ]


@pytest.mark.parametrize(("adoption", "mode"), [("strict", "STRICT"), ("permissive", "PERMISSIVE")])
def test_a_namespace_has_one_mtls_mode_for_all_its_pods(adoption: Adoption, mode: str) -> None:
    peers, _ = istio().secure("ai-inference", adoption, 180)
    assert peers["spec"] == {"mtls": {"mode": mode}}
    assert peers["metadata"] == {"name": "default", "namespace": "ai-inference"}


def test_a_namespace_allows_nothing_by_itself() -> None:
    _, nothing = istio().secure("ai-inference", "strict", 180)
    assert nothing["kind"] == "AuthorizationPolicy"
    assert nothing["spec"] == {}


def test_the_gateway_is_always_among_the_callers() -> None:
    assert sources(callers=["frontend", "processing"]) == [
        {"principals": [GATEWAY]},
        {"namespaces": ["frontend"]},
        {"namespaces": ["processing"]},
    ]
    assert sources() == [{"principals": [GATEWAY]}]


def test_a_model_kept_inside_does_not_admit_the_gateway() -> None:
    assert sources(route=None, callers=["frontend"]) == [{"namespaces": ["frontend"]}]
    assert sources(has_gateway=False, callers=["frontend"]) == [{"namespaces": ["frontend"]}]


def test_a_model_with_no_callers_admits_nobody() -> None:
    spec = policy(has_gateway=False)["spec"]
    assert (spec["action"], spec["rules"]) == ("ALLOW", [])


def test_a_caller_may_be_narrowed_to_methods_and_paths() -> None:
    caller = {"principal": PRINCIPAL, "methods": ["POST"], "paths": ["/v1/completions"]}
    rule = policy(callers=[caller])["spec"]["rules"][1]
    assert rule["from"] == [{"source": {"principals": [PRINCIPAL]}}]
    assert rule["to"] == [
        {"operation": {"ports": ["8000"], "methods": ["POST"], "paths": ["/v1/completions"]}}
    ]


def test_every_rule_is_for_the_models_port_alone() -> None:
    for rule in policy(callers=["frontend"])["spec"]["rules"]:
        assert [entry["operation"]["ports"] for entry in rule["to"]] == [["8000"]]


def test_the_policy_is_of_the_pods_of_all_versions() -> None:
    canary = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
    selector = policy(canary=canary)["spec"]["selector"]
    assert selector == {"matchLabels": {"app.kubernetes.io/name": NAME}}


def test_the_public_reaches_what_is_meant_for_it_and_the_inside_everything() -> None:
    gateway, frontend = policy(callers=["frontend"])["spec"]["rules"]
    assert gateway["to"][0]["operation"]["paths"] == ["/v1/*"]
    assert "paths" not in frontend["to"][0]["operation"]


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ({"runtime": CUSTOM}, None),
        ({"route": {"paths": []}}, None),
        ({"route": {"paths": ["/v1/models", "/x*"]}}, ["/v1/models", "/x*"]),
        ({"runtime": CUSTOM, "route": {"paths": ["/api/*"]}}, ["/api/*"]),
    ],
)
def test_what_the_public_reaches_is_the_runtimes_or_the_routes(
    settings: dict[str, Any], paths: list[str] | None
) -> None:
    (gateway,) = policy(**settings)["spec"]["rules"]
    assert gateway["to"][0]["operation"].get("paths") == paths


def test_a_prefix_is_none_of_the_paths_that_the_public_reaches() -> None:
    # The gateway has taken it away before the model's proxy judges the request.
    (gateway,) = policy(route={"prefix": "/chat"})["spec"]["rules"]
    assert gateway["to"][0]["operation"]["paths"] == ["/v1/*"]


def test_a_changed_app_label_leaves_the_policy_on_its_pods() -> None:
    changed = policy(labels={"app": "other"})["spec"]["selector"]
    assert changed == policy()["spec"]["selector"]


def test_where_plain_text_is_taken_nobody_has_an_identity_to_be_asked_for() -> None:
    (rule,) = policy(adoption="permissive", callers=["frontend"])["spec"]["rules"]
    assert rule == {"to": [{"operation": {"ports": ["8000"]}}]}


def mirrored(
    source: dict[str, Any], has_gateway: bool = True, **settings: Any
) -> list[tuple[dict[str, list[str]], dict[str, list[str]]]]:
    """Who may do what on a model that a source is mirrored to."""
    target = replace(model("target", **settings), mirrored_from=(model("source", **source),))
    (made,) = istio().authorize(target, has_gateway)
    return [
        (rule["from"][0]["source"], rule["to"][0]["operation"]) for rule in made["spec"]["rules"]
    ]


def test_who_may_call_a_model_may_be_mirrored_to_another() -> None:
    narrow = {"namespace": "frontend", "methods": ["POST"], "paths": ["/v1/completions"]}
    runtime = {"kind": "vllm", "port": 9000}
    assert mirrored({"callers": [narrow]}, route=None, runtime=runtime) == [
        ({"principals": [GATEWAY]}, {"ports": ["9000"], "paths": ["/v1/*"]}),
        (
            {"namespaces": ["frontend"]},
            {"ports": ["9000"], "methods": ["POST"], "paths": ["/v1/completions"]},
        ),
    ]


def test_a_mirror_keeps_the_callers_of_its_own() -> None:
    who = [source for source, _ in mirrored({"callers": ["a"]}, route=None, callers=["b"])]
    assert who == [{"namespaces": ["b"]}, {"principals": [GATEWAY]}, {"namespaces": ["a"]}]


@pytest.mark.parametrize(("route", "has_gateway"), [(None, True), ({}, False)])
def test_a_source_kept_inside_does_not_admit_the_gateway_to_its_mirror(
    route: dict[str, Any] | None, has_gateway: bool
) -> None:
    source = {"route": route, "callers": ["a"]}
    (only,) = mirrored(source, has_gateway, route=None)
    assert only[0] == {"namespaces": ["a"]}
