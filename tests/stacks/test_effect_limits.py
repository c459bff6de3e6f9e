"""What istiod makes of a model's limits, in the proxies that keep them: the one beside the server,
and the gateway's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway
from components.mesh.istio.limits import CALLERS
from components.model import objects
from tests.components.samples import istio, model
from tests.proxy import Proxy, Resource
from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

HOST = "{name}.limits.example.com"
UNLIMITED = 2**32 - 1


@pytest.fixture(scope="module")
def beside(site: Site) -> Proxy:
    """The proxy of a pod of the site's model, whose vLLM runs 32 sequences."""
    return Proxy.of(site.simulated, "sidecar", "ai-inference", "version=stable")


def _managers(proxy: Proxy) -> list[Resource]:
    """The HTTP connection managers of what comes in."""
    return [
        each["typedConfig"]
        for listener in proxy.listeners().values()
        if listener.get("trafficDirection") != "OUTBOUND" or proxy.kind == "router"
        for chain in listener.get("filterChains", [])
        for each in chain["filters"]
        if each["typedConfig"]["@type"].endswith("HttpConnectionManager")
    ]


def test_the_proxy_beside_a_server_takes_what_runs_and_as_many_that_wait(beside: Proxy) -> None:
    inbound = beside.clusters()["inbound|8000||"]
    (limits,) = inbound["circuitBreakers"]["thresholds"]
    assert limits["maxRequests"] == 64
    assert limits["maxPendingRequests"] == 64
    assert limits["maxConnections"] == UNLIMITED


def test_the_proxy_beside_a_server_closes_connections_before_the_server(beside: Proxy) -> None:
    inbound = beside.clusters()["inbound|8000||"]
    options = inbound["typedExtensionProtocolOptions"][
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    ]
    assert options["commonHttpProtocolOptions"]["idleTimeout"] == "300s"


def test_what_a_server_does_not_take_is_answered_429_with_a_time_to_come_back(
    beside: Proxy,
) -> None:
    managers = _managers(beside)
    assert managers
    for manager in managers:
        (mapper,) = manager["localReplyConfig"]["mappers"]
        assert mapper["filter"]["responseFlagFilter"]["flags"] == ["UO"]
        assert mapper["statusCode"] == 429
        (header,) = mapper["headersToAdd"]
        assert header["header"] == {"key": "retry-after", "value": "5"}
        assert json.loads(mapper["body"]["inlineString"])["error"]["code"] == "overloaded"
        assert mapper["bodyFormatOverride"]["contentType"] == "application/json"


Limited = Callable[..., tuple[list[Resource], Proxy]]


@pytest.fixture
def limited(site: Site) -> Limited:
    """Apply models with a host each; answer with the routes of the first, and the gateway."""

    def of(*names: str, **settings: Any) -> tuple[list[Resource], Proxy]:
        made: list[Manifest] = []
        for name in names:
            one = model(name, **settings)
            made += [_gateway(name), objects.service(one)]
            routes = json.dumps(istio().route(one, HOST.format(name=name)))
            made += json.loads(routes.replace(gateway.REFERENCE, f"{gateway.NAMESPACE}/{name}"))
        site.cluster.apply(made)
        proxy = Proxy.of(site.simulated, "router", gateway.NAMESPACE, "istio=ingress")
        return _routes(proxy, HOST.format(name=names[0])), proxy

    return of


def _gateway(name: str) -> Manifest:
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    spec = {
        "selector": gateway.pod_selector(),
        "servers": [{"port": port, "hosts": [HOST.format(name=name)]}],
    }
    return manifest("networking.istio.io/v1", "Gateway", name, gateway.NAMESPACE, spec=spec)


def _routes(proxy: Proxy, host: str) -> list[Resource]:
    """The routes of a host, as soon as istiod has pushed them."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for virtual_host in proxy.routes("http.80")["http.80"].get("virtualHosts", []):
            if host in virtual_host["domains"] and virtual_host.get("routes"):
                return list(virtual_host["routes"])
        time.sleep(0.2)
    raise AssertionError(f"no route of {host} has reached the gateway")


def _filter(proxy: Proxy, name: str) -> tuple[Resource, list[str]]:
    """The rate limit of a model at the gateway's connection managers, and all filters in order."""
    found = []
    for manager in _managers(proxy):
        names = [each["name"] for each in manager["httpFilters"]]
        found += [
            (each["typedConfig"], names)
            for each in manager["httpFilters"]
            if each["name"] == f"inference-mesh.rate-limit.{name}"
        ]
    assert len(found) == len(_managers(proxy)), "every connection manager has it once"
    return found[0]


def test_a_caller_has_a_bucket_of_its_own_at_the_gateway(limited: Limited) -> None:
    settings = {"requests": 90, "per": "minute", "header": "x-api-key"}
    (route,), proxy = limited("limits-a", traffic={"rateLimit": settings})
    limit, filters = _filter(proxy, "limits-a")
    assert filters[-1] == "envoy.filters.http.router"
    (actions,) = (each["actions"] for each in limit["rateLimits"])
    of_route, of_caller = actions
    assert of_route["metadata"]["source"] == "ROUTE_ENTRY"
    keys = of_route["metadata"]["metadataKey"]
    known = route["metadata"]["filterMetadata"][keys["key"]][keys["path"][0]["key"]]
    assert of_caller["requestHeaders"]["headerName"] == "x-api-key"
    named, nameless = limit["descriptors"]
    assert named["entries"] == [{"key": "route", "value": known}, {"key": "caller"}]
    assert nameless["entries"] == [{"key": "route", "value": known}]
    for descriptor in (named, nameless):
        bucket = {"maxTokens": 90, "tokensPerFill": 90, "fillInterval": "60s"}
        assert descriptor["tokenBucket"] == bucket
    for share in ("filterEnabled", "filterEnforced"):
        assert limit[share]["defaultValue"]["numerator"] == 100
    assert limit["maxDynamicDescriptors"] == CALLERS
    assert limit["responseHeadersToAdd"][0]["header"] == {"key": "retry-after", "value": "1"}


def test_all_kinds_of_request_to_a_model_count_together_and_no_other_models(
    limited: Limited,
) -> None:
    canary = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10, "headers": {"x-version": "new"}}
    traffic = {"rateLimit": {"requests": 5}}
    routes, proxy = limited("limits-b", "limits-c", traffic=traffic, canary=canary)
    assert len(routes) == 2
    owners = {route["metadata"]["filterMetadata"]["istio"]["config"] for route in routes}
    for name in ("limits-b", "limits-c"):
        limit, _ = _filter(proxy, name)
        counted = {each["entries"][0]["value"] for each in limit["descriptors"]}
        assert (counted == owners) == (name == "limits-b")
        assert "tokenBucket" not in limit, "what has no bucket of its own passes"


def test_retries_have_a_budget_where_the_gateway_calls(limited: Limited) -> None:
    budget = {"percent": 10, "minimum": 2}
    (route,), proxy = limited("limits-d", traffic={"retries": {"budget": budget}})
    (limits,) = proxy.clusters()[route["route"]["cluster"]]["circuitBreakers"]["thresholds"]
    assert limits["retryBudget"] == {"budgetPercent": {"value": 10}, "minRetryConcurrency": 2}


def test_without_a_budget_retries_are_as_many_as_the_attempts(limited: Limited) -> None:
    (route,), proxy = limited("limits-e", traffic={"retries": {"budget": None}})
    (limits,) = proxy.clusters()[route["route"]["cluster"]]["circuitBreakers"]["thresholds"]
    assert "retryBudget" not in limits
    assert limits["maxRetries"] == UNLIMITED
