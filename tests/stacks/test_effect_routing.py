"""What istiod makes of many models behind one host: who is asked, in which order, and what is left.

The gateway's proxy is asked for its routes and listeners, on hosts of the test's own.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway, model_router
from components.mesh.protocol import Ingress
from components.model import objects
from tests.components.samples import istio, model
from tests.proxy import Proxy, Resource
from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

GATEWAY = "routing"
HOST = "many.routing.example.com"
OTHER = "whole.routing.example.com"
INGRESS = Ingress((HOST, OTHER), "inference-tls", 30, open_hosts=(HOST,), model_hosts=(HOST,))
ROUTES = f"https.443.https.{GATEWAY}.{gateway.NAMESPACE}"
BY_MODEL = {"byModel": True}

VirtualHosts = dict[str, Resource]


def _renamed(item: Manifest) -> Manifest:
    """As another Gateway than the site's own, so that both are there."""
    text = json.dumps(item).replace(gateway.REFERENCE, f"{gateway.NAMESPACE}/{GATEWAY}")
    return json.loads(text.replace(f'"{gateway.NAME}"', f'"{GATEWAY}"'))  # type: ignore[no-any-return]


def _router_service() -> Manifest:
    """The Service that the router's chart makes: istiod knows no cluster without it."""
    port = {"port": model_router.PORT, "appProtocol": "HTTP2"}
    name = model_router.RELEASE
    return manifest("v1", "Service", name, gateway.NAMESPACE, spec={"ports": [port]})


@pytest.fixture(scope="module")
def proxy(site: Site) -> Proxy:
    """The gateway's, once the routes of all models have reached it."""
    canary = {"image": "x/y:1", "weight": 10, "headers": {"x-version": "canary"}}
    models = [
        model("routing-a", route=BY_MODEL),
        model("routing-b", route=BY_MODEL | {"prefix": "/b"}, canary=canary),
        model("routing-whole", route={"host": OTHER}),
        model("routing-c", route={"host": OTHER, "prefix": "/c"}),
    ]
    made = [*istio().expose(INGRESS), _router_service()]
    for one in models:
        made += [objects.service(one), *istio().route(one, HOST)]
    # What takes everything first, so that it is not last by its age.
    made.sort(key=lambda item: "routing-whole" not in json.dumps(item))
    site.cluster.apply([_renamed(item) for item in made])
    asked = Proxy.of(site.simulated, "router", gateway.NAMESPACE, "istio=ingress")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        hosts = _virtual_hosts(asked)
        if len(hosts.get(HOST, {}).get("routes", [])) >= 4 and len(hosts[OTHER]["routes"]) >= 3:
            return asked
        time.sleep(0.2)
    raise AssertionError(f"the routes have not reached the gateway: {hosts}")


def _virtual_hosts(proxy: Proxy) -> VirtualHosts:
    found = proxy.routes(ROUTES)[ROUTES].get("virtualHosts", [])
    return {host["domains"][0]: host for host in found}


@pytest.fixture(scope="module")
def hosts(proxy: Proxy) -> VirtualHosts:
    return _virtual_hosts(proxy)


def _headers(route: Resource) -> dict[str, Any]:
    return {header["name"]: header["stringMatch"] for header in route["match"].get("headers", [])}


def _target(route: Resource) -> str:
    action = route["route"]
    cluster = action.get("cluster") or action["weightedClusters"]["clusters"][0]["name"]
    return str(cluster.split("|")[3].split(".")[0])


def test_a_model_is_told_by_the_name_that_the_router_wrote(hosts: VirtualHosts) -> None:
    named = {
        _headers(route)[model_router.HEADER]["exact"]: _target(route)
        for route in hosts[HOST]["routes"]
        if "route" in route
    }
    assert named == {"routing-a": "routing-a", "routing-b": "routing-b"}


def test_a_request_that_no_model_has_is_answered_in_openais_words(hosts: VirtualHosts) -> None:
    last = hosts[HOST]["routes"][-1]
    assert last["match"].get("prefix") == "/"
    assert "headers" not in last["match"]
    assert last["directResponse"]["status"] == 404
    assert json.loads(last["directResponse"]["body"]["inlineString"]) == gateway.NOT_FOUND
    (header,) = last["responseHeadersToAdd"]
    assert header["header"] == {"key": "content-type", "value": "application/json"}
    assert header["appendAction"] == "OVERWRITE_IF_EXISTS_OR_ADD"


def test_what_a_model_takes_whole_has_no_such_answer(hosts: VirtualHosts) -> None:
    assert all("directResponse" not in route for route in hosts[OTHER]["routes"])


def test_a_prefix_comes_before_the_model_that_takes_what_is_left(hosts: VirtualHosts) -> None:
    targets = [_target(route) for route in hosts[OTHER]["routes"]]
    assert targets == ["routing-c", "routing-c", "routing-whole"]


def test_special_requests_of_a_model_still_have_to_name_it(hosts: VirtualHosts) -> None:
    special = [route for route in hosts[HOST]["routes"] if "x-version" in _headers(route)]
    assert special
    for route in special:
        assert _headers(route)[model_router.HEADER] == {"exact": "routing-b"}


def _filters(proxy: Proxy) -> list[Resource]:
    chains = proxy.listeners()["0.0.0.0_443"]["filterChains"]
    (chain,) = (one for one in chains if HOST in one["filterChainMatch"]["serverNames"])
    return list(chain["filters"][0]["typedConfig"]["httpFilters"])


def test_the_router_is_asked_before_anything_else(proxy: Proxy) -> None:
    first = _filters(proxy)[0]
    assert first["name"] == model_router.FILTER
    assert first["disabled"] is True
    asked = first["typedConfig"]
    assert asked["processingMode"]["requestBodyMode"] == "FULL_DUPLEX_STREAMED"
    assert asked["processingMode"]["responseHeaderMode"] == "SKIP"
    cluster = proxy.clusters()[asked["grpcService"]["envoyGrpc"]["clusterName"]]
    assert "http2ProtocolOptions" in json.dumps(cluster)
    assert cluster["transportSocket"]["name"] == "envoy.transport_sockets.tls"


def test_the_router_reads_the_requests_of_its_hosts_alone(hosts: VirtualHosts) -> None:
    switched = hosts[HOST]["typedPerFilterConfig"][model_router.FILTER]
    # A configuration of the filter's own kind: what switches a disabled filter on.
    assert switched["@type"].endswith("ext_proc.v3.ExtProcPerRoute")
    assert "disabled" not in switched
    assert model_router.FILTER not in hosts[OTHER].get("typedPerFilterConfig", {})
