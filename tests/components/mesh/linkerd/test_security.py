from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.adoption import Adoption
from components.kubernetes import Manifest
from tests.components.samples import CUSTOM, NAME, linkerd, model

IDENTITY = "serviceaccount.identity.linkerd.cluster.local"
GATEWAY = f"inference.envoy-gateway-system.{IDENTITY}"
FRONTEND = f"*.frontend.{IDENTITY}"
PRINCIPAL = "cluster.local/ns/default/sa/api-gateway"
API = f"api-gateway.default.{IDENTITY}"
OPEN = {"runtime": CUSTOM, "route": {"paths": []}}
"""A model whose every path is public."""


def policies(
    adoption: Adoption = "strict", has_gateway: bool = True, **settings: Any
) -> tuple[Manifest, ...]:
    asked = replace(model(**settings), adoption=adoption)
    return linkerd().authorize(asked, has_gateway)


class Proxy:
    """What the proxy of a model's pod decides, from its policies.

    A request belongs to the most special match of all routes: by the length of the path, then by
    whether there is a method; without any route, to the Server
    (linkerd2-proxy: linkerd/http/route/src/http/match.rs).
    """

    def __init__(self, found: tuple[Manifest, ...]) -> None:
        self.routes = [item for item in found if item["kind"] == "HTTPRoute"]
        self._who = {
            (item["kind"], item["metadata"]["name"]): item["spec"]
            for item in found
            if item["kind"].endswith("Authentication")
        }
        self._policies = [item["spec"] for item in found if item["kind"] == "AuthorizationPolicy"]
        (self.server,) = (item for item in found if item["kind"] == "Server")

    def admits(self, identity: str | None, method: str, path: str) -> bool:
        targets = [self.server["metadata"]["name"]]
        if self.routes:
            route = self._route(method, path)
            if route is None:
                return False
            targets.append(route)
        return any(
            self._is(identity, reference)
            for policy in self._policies
            if policy["targetRef"]["name"] in targets
            for reference in policy["requiredAuthenticationRefs"]
        )

    def _route(self, method: str, path: str) -> str | None:
        found = [
            (rank, route["metadata"]["name"])
            for route in self.routes
            for rule in route["spec"]["rules"]
            for match in rule["matches"]
            if (rank := self._rank(match, method, path))
        ]
        if not found:
            return None
        best = max(rank for rank, _ in found)
        (name,) = {name for rank, name in found if rank == best}
        return str(name)

    @staticmethod
    def _rank(match: Manifest, method: str, path: str) -> tuple[int, bool] | None:
        if match.get("method", method) != method:
            return None
        asked = match.get("path", {"type": "PathPrefix", "value": "/"})
        value = asked["value"].rstrip("/") if asked["type"] == "PathPrefix" else asked["value"]
        same = path == asked["value"]
        below = asked["type"] == "PathPrefix" and (path == value or path.startswith(f"{value}/"))
        return (max(len(value), 1), "method" in match) if same or below else None

    def _is(self, identity: str | None, reference: dict[str, str]) -> bool:
        spec = self._who[reference["kind"], reference["name"]]
        if reference["kind"] == "NetworkAuthentication":
            return {"cidr": "0.0.0.0/0"} in spec["networks"]
        return identity is not None and any(
            identity.endswith(one.removeprefix("*")) if one[0] == "*" else identity == one
            for one in spec["identities"]
        )


def admitted(identity: str | None, method: str, path: str, **settings: Any) -> bool:
    return Proxy(policies(**settings)).admits(identity, method, path)


CHAT = ("POST", "/v1/chat/completions")
FRONT = f"web.frontend.{IDENTITY}"


@pytest.mark.parametrize(("adoption", "access"), [("strict", "deny"), ("permissive", "audit")])
def test_a_models_port_is_closed_or_says_whom_it_would_not_let_in(
    adoption: Adoption, access: str
) -> None:
    server = policies(adoption)[0]
    assert server["spec"]["accessPolicy"] == access
    assert server["spec"]["port"] == 8000


def test_going_strict_changes_one_word_of_one_object() -> None:
    before, after = policies("permissive", callers=["a"]), policies("strict", callers=["a"])
    assert before[1:] == after[1:]
    assert before[0]["spec"] | {"accessPolicy": "deny"} == after[0]["spec"]


def test_out_of_the_mesh_there_are_no_policies() -> None:
    assert policies("unmeshed") == ()


def test_the_server_is_of_the_pods_of_all_versions() -> None:
    selector = {"matchLabels": {"app.kubernetes.io/name": NAME}}
    for labels in ({}, {"app": "other"}):
        assert policies(labels=labels)[0]["spec"]["podSelector"] == selector


def test_the_gateway_is_always_among_the_callers() -> None:
    assert admitted(GATEWAY, *CHAT, callers=["frontend"])
    assert admitted(GATEWAY, *CHAT)


def test_a_model_kept_inside_does_not_admit_the_gateway() -> None:
    assert not admitted(GATEWAY, *CHAT, route=None, callers=["frontend"])
    assert not admitted(GATEWAY, *CHAT, has_gateway=False)


def test_nobody_else_may_call() -> None:
    assert not admitted(FRONT, *CHAT)
    assert not admitted(None, *CHAT, callers=["frontend"])
    assert not admitted(f"web.other.{IDENTITY}", *CHAT, callers=["frontend"])


def test_a_namespace_may_call_everything() -> None:
    assert admitted(FRONT, *CHAT, callers=["frontend"])
    assert admitted(FRONT, "GET", "/tokenize", callers=["frontend"])


def test_the_public_reaches_what_is_meant_for_it() -> None:
    assert not admitted(GATEWAY, "POST", "/tokenize", callers=["frontend"])
    assert admitted(GATEWAY, "POST", "/tokenize", **OPEN)


CALLER = {"principal": PRINCIPAL, "methods": ["POST"], "paths": ["/v1/completions"]}


def test_a_caller_may_be_narrowed_to_methods_and_paths() -> None:
    narrow = {"callers": [CALLER], "route": None}
    assert admitted(API, "POST", "/v1/completions", **narrow)
    assert not admitted(API, "GET", "/v1/completions", **narrow)
    assert not admitted(API, *CHAT, **narrow)
    assert not admitted(API, "POST", "/v1/completions/more", **narrow)


def test_narrow_callers_take_nothing_from_wide_ones() -> None:
    both = {"callers": [CALLER, {"namespace": "frontend", "methods": ["POST"]}, "processing"]}
    processing = f"batch.processing.{IDENTITY}"
    for path in ("/v1/completions", "/tokenize", "/v1/models"):
        assert admitted(FRONT, "POST", path, **both)
        assert not admitted(FRONT, "GET", path, **both)
        assert admitted(processing, "GET", path, **both)
        assert admitted(GATEWAY, "POST", path, **both) == path.startswith("/v1/")


@pytest.mark.parametrize("settings", [{}, {"callers": [CALLER]}, OPEN, {"runtime": CUSTOM}])
def test_probes_and_scraping_need_no_identity(settings: dict[str, Any]) -> None:
    asked = model(**settings)
    proxy = Proxy(policies(**settings))
    # Linkerd lets probes in by itself where a Server has no routes.
    for path in filter(None, [asked.settings.runtime.health, asked.settings.runtime.metrics_path]):
        assert not proxy.routes or proxy.admits(None, "GET", path)
        assert not proxy.admits(None, "POST", path)


def test_a_caller_that_may_get_the_health_path_does_not_shut_the_kubelet_out() -> None:
    caller = {"namespace": "frontend", "methods": ["GET"], "paths": ["/health", "/health/*"]}
    assert admitted(None, "GET", "/health", callers=[caller])


def test_a_path_that_warms_the_server_up_is_a_probe_too() -> None:
    runtime = CUSTOM | {"healthPath": "/healthz", "warmUpPath": "/warm"}
    asked: dict[str, Any] = {"runtime": runtime, "callers": [CALLER]}
    for path in ("/healthz", "/warm"):
        assert admitted(None, "GET", path, **asked)


def test_whole_access_needs_no_routes() -> None:
    kinds = [item["kind"] for item in policies(callers=["frontend"], **OPEN)]
    assert kinds == ["Server", "MeshTLSAuthentication", "AuthorizationPolicy"]


def test_an_identity_has_the_trust_domain_of_its_principal() -> None:
    caller = {"principal": "example.org/ns/default/sa/api-gateway"}
    found = policies(callers=[caller], route=None)
    assert found[1]["spec"]["identities"] == [
        "api-gateway.default.serviceaccount.identity.linkerd.example.org"
    ]


def test_a_namespace_has_the_trust_domain_of_the_mesh() -> None:
    asked = model(callers=["frontend"], route=None)
    found = linkerd(trust_domain="example.org").authorize(asked, True)
    assert found[1]["spec"]["identities"] == [
        "*.frontend.serviceaccount.identity.linkerd.example.org"
    ]


def test_a_rule_has_no_more_matches_than_a_route_takes() -> None:
    paths = [f"/v1/path-{number}" for number in range(20)]
    found = policies(callers=[{"namespace": "frontend", "paths": paths}])
    routes = [item for item in found if item["kind"] == "HTTPRoute"]
    assert max(len(rule["matches"]) for item in routes for rule in item["spec"]["rules"]) <= 8
    assert all(
        admitted(FRONT, "GET", path, callers=[{"namespace": "frontend", "paths": paths}])
        for path in paths
    )


def test_callers_are_limited_each_by_the_proxy_beside_the_model() -> None:
    limit = {"requests": 5, "per": "second", "by": "identity"}
    (made,) = (
        item
        for item in policies(has_gateway=False, traffic={"rateLimit": limit})
        if item["kind"] == "HTTPLocalRateLimitPolicy"
    )
    server = policies()[0]
    assert made["spec"] == {
        "targetRef": {
            "group": "policy.linkerd.io",
            "kind": "Server",
            "name": server["metadata"]["name"],
        },
        "identity": {"requestsPerSecond": 5},
    }


def test_the_gateway_is_not_counted_since_many_callers_are_behind_it() -> None:
    limit = {"requests": 5, "per": "second", "by": "identity"}
    (made,) = (
        item
        for item in policies(traffic={"rateLimit": limit})
        if item["kind"] == "HTTPLocalRateLimitPolicy"
    )
    (override,) = made["spec"]["overrides"]
    assert override["clientRefs"] == [
        {"kind": "ServiceAccount", "name": "inference", "namespace": "envoy-gateway-system"}
    ]
    assert override["requestsPerSecond"] > 10_000
