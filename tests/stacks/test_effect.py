"""What istiod makes of a model's routes and policies: not that they are accepted, but their effect.

Each case is a model of its own on the site's cluster; the gateway's proxy is asked for its routes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import Manifest, manifest
from components.mesh.istio.gateway import REFERENCE
from components.model import objects
from components.model.model import Model
from tests.components.samples import istio, model
from tests.proxy import Proxy, Resource
from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

HOST = "{name}.effect.example.com"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}

Effect = Callable[..., tuple[list[Resource], dict[str, Resource]]]


@pytest.fixture
def effect(site: Site, request: pytest.FixtureRequest) -> Effect:
    """Apply one model's Service and routes; answer with the gateway's routes and clusters."""

    def of(target: Model | None = None, **settings: Any) -> tuple[list[Resource], dict[str, Any]]:
        short = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")[:40]
        name = short.strip("-")
        made = model(name, **settings)
        made = replace(made, mirror=target)
        host = HOST.format(name=name)
        gateway = manifest(
            "networking.istio.io/v1",
            "Gateway",
            name,
            "istio-ingress",
            spec={
                "selector": {"istio": "ingress"},
                "servers": [
                    {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": [host]}
                ],
            },
        )
        text = json.dumps(istio().route(made, host))
        routes = json.loads(text.replace(REFERENCE, f"istio-ingress/{name}"))
        services = [objects.service(one) for one in (made, target) if one]
        site.cluster.apply([gateway, *services, *routes])
        proxy = Proxy.of(site.simulated, "router", "istio-ingress", "istio=ingress")
        return _routes(proxy, host), proxy.clusters()

    return of


def _routes(proxy: Proxy, host: str) -> list[Resource]:
    """The routes of a host, as soon as istiod has pushed them."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for virtual_host in proxy.routes("http.80")["http.80"].get("virtualHosts", []):
            if host in virtual_host["domains"] and virtual_host.get("routes"):
                return list(virtual_host["routes"])
        time.sleep(0.2)
    raise AssertionError(f"no route of {host} has reached the gateway")


def _weights(route: Resource) -> dict[str, int]:
    clusters = route["route"].get("weightedClusters", {}).get("clusters")
    if clusters is None:
        return {route["route"]["cluster"].split("|")[2]: 100}
    return {cluster["name"].split("|")[2]: cluster["weight"] for cluster in clusters}


def _headers(route: Resource) -> dict[str, Any]:
    return {header["name"]: header["stringMatch"] for header in route["match"].get("headers", [])}


def test_weights_reach_the_gateway(effect: Effect) -> None:
    (route,), clusters = effect(canary=CANARY)
    assert _weights(route) == {"stable": 90, "canary": 10}
    for cluster in route["route"]["weightedClusters"]["clusters"]:
        assert cluster["name"] in clusters


def test_a_stream_has_no_timeout_and_a_begun_request_no_retry(effect: Effect) -> None:
    (route,), _ = effect()
    action = route["route"]
    assert action["timeout"] == "0s"
    policy = action["retryPolicy"]
    assert policy["numRetries"] == 2
    assert "perTryTimeout" not in policy
    conditions = set(policy["retryOn"].split(","))
    assert conditions == {"connect-failure", "refused-stream", "reset-before-request"}
    assert "retriableStatusCodes" not in policy


def test_no_retries_means_none(effect: Effect) -> None:
    (route,), _ = effect(traffic={"retries": {"attempts": 0}})
    assert "retryPolicy" not in route["route"]


def test_first_byte_bounds_each_try_and_response_the_whole(effect: Effect) -> None:
    timeouts = {"firstByte": "10s", "response": "40s"}
    (route,), _ = effect(traffic={"timeouts": timeouts, "retries": {"attempts": 3}})
    assert route["route"]["timeout"] == "40s"
    assert route["route"]["retryPolicy"]["perTryTimeout"] == "10s"


def test_the_pool_the_breaker_and_the_balancer_reach_the_gateway(effect: Effect) -> None:
    pool = {"maxConnections": 100, "http2Upgrade": True, "maxRequestsPerConnection": 10}
    (route,), clusters = effect(traffic={"connectionPool": pool})
    cluster = clusters[route["route"]["cluster"]]
    assert cluster["lbPolicy"] == "LEAST_REQUEST"
    assert cluster["leastRequestLbConfig"]["slowStartConfig"]["slowStartWindow"] == "60s"
    assert cluster["circuitBreakers"]["thresholds"][0]["maxConnections"] == 100
    assert cluster["outlierDetection"]["consecutive5xx"] == 5
    options = cluster["typedExtensionProtocolOptions"][
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    ]
    assert "http2ProtocolOptions" in options["explicitHttpConfig"]
    assert options["commonHttpProtocolOptions"]["maxRequestsPerConnection"] == 10
    assert cluster["connectTimeout"] == "5s"


def test_a_header_hashes_requests_to_pods(effect: Effect) -> None:
    hashed = {"policy": "consistent-hash", "header": "x-session-id"}
    (route,), clusters = effect(traffic={"balancing": hashed})
    (by,) = route["route"]["hashPolicy"]
    assert by["header"] == {"headerName": "x-session-id"}
    cluster = clusters[route["route"]["cluster"]]
    assert cluster["lbPolicy"] == "RING_HASH"
    assert cluster["ringHashLbConfig"]["minimumRingSize"] == "4096"


def test_calls_to_the_pods_are_mutual_tls(effect: Effect) -> None:
    (route,), clusters = effect()
    matches = clusters[route["route"]["cluster"]]["transportSocketMatches"]
    assert matches[0]["match"] == {"tlsMode": "istio"}
    assert matches[0]["transportSocket"]["name"] == "envoy.transport_sockets.tls"


def test_a_header_pins_a_request_to_the_canary(effect: Effect) -> None:
    routes, _ = effect(canary=CANARY | {"headers": {"x-model-version": "canary"}})
    assert _headers(routes[0]) == {"x-model-version": {"exact": "canary"}}
    assert _weights(routes[0]) == {"canary": 100}
    assert _weights(routes[1]) == {"stable": 90, "canary": 10}


def test_a_cookie_keeps_a_user_with_a_version(effect: Effect) -> None:
    routes, _ = effect(canary=CANARY | {"sticky": True})
    *kept, split = routes
    for route, version in zip(kept, ("stable", "canary"), strict=True):
        pattern = _headers(route)["cookie"]["safeRegex"]["regex"]
        name = re.findall(r"([a-z-]+)=", pattern)[0]
        assert re.fullmatch(pattern, f"a=b; {name}={version}; c=d")
        assert re.fullmatch(pattern, f"{name}={version}")
        assert not re.fullmatch(pattern, f"{name}={version}x")
        assert _weights(route) == {version: 100}
    told = [
        cluster["responseHeadersToAdd"][0]["header"]["value"]
        for cluster in split["route"]["weightedClusters"]["clusters"]
    ]
    assert [cookie.partition("=")[2].partition(";")[0] for cookie in told] == ["stable", "canary"]


def test_a_part_of_the_requests_is_mirrored(effect: Effect) -> None:
    target = model("staging", namespace="ai-inference")
    mirror = {"model": "staging", "percent": 5, "sideEffects": "none"}
    (route,), _ = effect(target, traffic={"mirror": mirror})
    (policy,) = route["route"]["requestMirrorPolicies"]
    assert policy["cluster"].endswith("|stable|staging.ai-inference.svc.cluster.local")
    fraction = policy["runtimeFraction"]["defaultValue"]
    assert fraction == {"numerator": 50000, "denominator": "MILLION"}


def test_until_flagger_has_a_route_the_models_own_pods_serve(effect: Effect) -> None:
    (route,), _ = effect(progressive={})
    assert _weights(route) == {"stable": 100}


def test_flaggers_weights_reach_the_gateway_with_the_models_own_behaviour(
    site: Site, effect: Effect
) -> None:
    timeouts = {"firstByte": "10s", "response": "40s"}
    settings = {"progressive": {}, "traffic": {"timeouts": timeouts, "retries": {"attempts": 3}}}
    site.cluster.apply(_of_flagger(model("flaggers-weights-reach-the-gateway-with", **settings)))
    route, *_ = effect(**settings)[0]
    _, clusters = effect(**settings)
    to = {
        cluster["name"].split("|")[3].split(".")[0].rpartition("-")[2]: cluster["weight"]
        for cluster in route["route"]["weightedClusters"]["clusters"]
    }
    assert to == {"primary": 80, "canary": 20}
    assert route["route"]["timeout"] == "40s"
    policy = route["route"]["retryPolicy"]
    assert (policy["numRetries"], policy["perTryTimeout"]) == (3, "10s")
    assert "503" not in policy["retryOn"]
    for cluster in route["route"]["weightedClusters"]["clusters"]:
        made = clusters[cluster["name"]]
        assert made["lbPolicy"] == "LEAST_REQUEST"
        assert made["outlierDetection"]["consecutive5xx"] == 5


def _of_flagger(released: Model) -> list[Manifest]:
    """What Flagger makes in the middle of a release."""
    names = released.release_services
    services = []
    for name in names[1:]:
        service = objects.service(released)
        service["metadata"] = service["metadata"] | {"name": name}
        rule = manifest(
            "networking.istio.io/v1",
            "DestinationRule",
            name,
            released.namespace,
            spec={"host": name},
        )
        services += [service, rule]
    weights = [
        {"destination": {"host": name}, "weight": weight}
        for name, weight in zip(names[1:], (80, 20), strict=True)
    ]
    route = manifest(
        "networking.istio.io/v1",
        "VirtualService",
        names[0],
        released.namespace,
        spec={"http": [{"route": weights}]},
    )
    return [*services, route]


def test_a_fault_disturbs_its_part_of_the_requests(effect: Effect) -> None:
    fault = {"percent": 20, "delay": "5s", "abort": 503}
    (route,), _ = effect(traffic={"fault": fault})
    filters = route["typedPerFilterConfig"]["envoy.filters.http.fault"]
    assert filters["abort"]["httpStatus"] == 503
    assert filters["abort"]["percentage"]["numerator"] == 200000
    assert filters["delay"]["fixedDelay"] == "5s"


def test_a_fault_by_header_leaves_other_requests_alone(effect: Effect) -> None:
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    disturbed, other = effect(traffic={"fault": fault})[0]
    assert _headers(disturbed) == {"x-chaos": {"exact": "yes"}}
    assert "typedPerFilterConfig" in disturbed
    assert "typedPerFilterConfig" not in other


def test_a_prefix_is_taken_away_at_the_gateway(effect: Effect) -> None:
    routes, _ = effect(route={"prefix": "/chat"})
    below, alone = routes
    assert below["match"].get("prefix") == "/chat/" or below["match"].get("pathSeparatedPrefix")
    assert below["route"]["prefixRewrite"] == "/"
    assert alone["match"]["path"] == "/chat"


def _inbound(site: Site) -> list[Resource]:
    """The filter chains of a model pod's proxy for calls that come in."""
    proxy = Proxy.of(site.simulated, "sidecar", "ai-inference", "version=stable")
    chains: list[Resource] = proxy.listeners()["virtualInbound"]["filterChains"]
    return [chain for chain in chains if "http_connection_manager" in str(chain["filters"])]


def test_the_proxy_of_a_model_takes_mutual_tls_alone(site: Site) -> None:
    chains = _inbound(site)
    assert chains
    for chain in chains:
        assert chain["filterChainMatch"]["transportProtocol"] == "tls"
        assert chain["transportSocket"]["typedConfig"]["requireClientCertificate"] is True


def test_the_proxy_of_a_model_admits_the_gateway_and_the_callers_alone(site: Site) -> None:
    (manager,) = (
        each["typedConfig"]
        for each in _inbound(site)[0]["filters"]
        if each["typedConfig"]["@type"].endswith("HttpConnectionManager")
    )
    access = [each for each in manager["httpFilters"] if each["name"].endswith("rbac")]
    policies = access[0]["typedConfig"]["rules"]["policies"]
    nothing, *allowed = (policies[name] for name in sorted(policies))
    assert nothing["principals"] == [{"notId": {"any": True}}]
    who = [json.dumps(policy["principals"]) for policy in allowed]
    gateway = "cluster.local/ns/istio-ingress/sa/istio-ingress"
    for caller, text in zip((gateway, "frontend", "processing"), who, strict=True):
        assert caller in text
    what = [json.dumps(policy["permissions"]) for policy in allowed]
    assert ['"prefix": "/v1/"' in text for text in what] == [True, False, False]
