"""Istio's routing: a VirtualService and a DestinationRule for a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway
from components.model.model import VERSIONS, Model
from components.traffic import FaultSettings, TrafficSettings

GROUP = "networking.istio.io/v1"


def destination_rule(model: Model) -> Manifest:
    """How connections to the pods behave, and a subset for every version that may run.

    Also for a canary that is not there: a route that still names it must not break while it goes.
    """
    subsets = [{"name": name, "labels": {"version": name}} for name in VERSIONS]
    return manifest(
        GROUP,
        "DestinationRule",
        model.service,
        model.namespace,
        labels=model.labels,
        spec={
            "host": model.service_host,
            "trafficPolicy": _traffic_policy(model.settings.traffic),
            "subsets": subsets,
        },
    )


def _traffic_policy(traffic: TrafficSettings) -> dict[str, Any]:
    pool, ejection = traffic.connection_pool, traffic.outlier_detection
    balancer: dict[str, Any] = {"simple": "LEAST_REQUEST"}
    if traffic.balancing.warm_up:
        balancer["warmup"] = {"duration": traffic.balancing.warm_up}
    http: dict[str, Any] = {
        "http1MaxPendingRequests": pool.max_pending_requests,
        "http2MaxRequests": pool.max_requests,
        "idleTimeout": traffic.timeouts.idle,
        "h2UpgradePolicy": "UPGRADE" if pool.http2_upgrade else "DO_NOT_UPGRADE",
    }
    if pool.max_requests_per_connection:
        http["maxRequestsPerConnection"] = pool.max_requests_per_connection
    tcp = {
        "maxConnections": pool.max_connections,
        "connectTimeout": traffic.timeouts.connect,
        # Load balancers and NATs forget connections on which a long prefill sends nothing.
        "tcpKeepalive": {"time": "300s", "interval": "30s"},
    }
    return {
        "loadBalancer": balancer,
        "connectionPool": {"tcp": tcp, "http": http},
        "outlierDetection": {
            "consecutive5xxErrors": ejection.consecutive_errors,
            "interval": ejection.interval,
            "baseEjectionTime": ejection.ejection_time,
            "maxEjectionPercent": ejection.max_ejected,
        },
    }


def virtual_service(model: Model, gateway_host: str | None) -> Manifest:
    """Calls from inside the mesh by the Service's name, and through the gateway by host."""
    route = model.settings.route
    hosts, gateways = [model.service_host], ["mesh"]
    if gateway_host is not None and route is not None:
        hosts.append(route.host or gateway_host)
        gateways.append(gateway.REFERENCE)
    return manifest(
        GROUP,
        "VirtualService",
        model.service,
        model.namespace,
        labels=model.labels,
        spec={"hosts": hosts, "gateways": gateways, "http": _http_routes(model, gateways)},
    )


Route = dict[str, Any]
Match = dict[str, Any]


def _http_routes(model: Model, gateways: list[str]) -> list[Route]:
    """Every place of the model crossed with every kind of request; the first match decides."""
    return [
        _in_place(model.name, place, kind)
        for place in _places(model, gateways)
        for kind in _kinds(model)
    ]


@dataclass(frozen=True)
class _Part:
    """A place where requests come in, or a kind of request: what it matches, and what is done."""

    name: str
    matches: list[Match]
    """Any of them; empty for all requests."""
    action: Route


def _in_place(name: str, place: _Part, kind: _Part) -> Route:
    """The route of a kind of request that comes in at a place."""
    both = [one | other for one in place.matches or [{}] for other in kind.matches or [{}]]
    matched = {"match": both} if any(both) else {}
    return {"name": f"{name}{place.name}{kind.name}"} | matched | place.action | kind.action


def _places(model: Model, gateways: list[str]) -> list[_Part]:
    """Where requests come in, with the rewrite that takes a prefix of the gateway away."""
    route = model.settings.route
    if len(gateways) == 1 or route is None or not route.prefix.strip("/"):
        return [_Part("", [], {})]
    # The prefix alone and all below it, without also matching /name-and-more.
    prefix, at_gateway = route.prefix.rstrip("/"), {"gateways": [gateway.REFERENCE]}
    below = [
        at_gateway | {"uri": {"prefix": f"{prefix}/"}},
        at_gateway | {"uri": {"exact": prefix}},
    ]
    return [
        _Part("-gateway", below, {"rewrite": {"uri": "/"}}),
        _Part("", [{"gateways": ["mesh"]}], {}),
    ]


def _kinds(model: Model) -> list[_Part]:
    """The kinds of request, the most special first: disturbed, pinned to a version, the rest."""
    traffic, canary = model.settings.traffic, model.settings.canary
    common = _behaviour(traffic) | _mirror(model)
    fault = traffic.fault
    if fault and not fault.headers:
        common["fault"] = _fault(fault)
    kinds = []
    if fault and fault.headers:
        action = {"route": _split(model), "fault": _fault(fault)}
        kinds.append(_Part("-fault", [_exactly(fault.headers)], action))
    if canary and canary.headers:
        kinds.append(_Part("-by-header", [_exactly(canary.headers)], _only(model, "canary")))
    if canary and canary.sticky:
        kinds += [
            _Part(
                f"-keeps-{version.name}", [_cookie(model, version.name)], _only(model, version.name)
            )
            for version in model.versions
        ]
    kinds.append(_Part("", [], {"route": _split(model)}))
    return [replace(kind, action=common | kind.action) for kind in kinds]


def _exactly(headers: dict[str, str]) -> Match:
    return {"headers": {name: {"exact": value} for name, value in headers.items()}}


def _cookie(model: Model, version: str) -> Match:
    return {"headers": {"cookie": {"regex": model.version_cookie_pattern(version)}}}


def _only(model: Model, version: str) -> Route:
    return {"route": [{"destination": _destination(model, version)}]}


def _split(model: Model) -> list[Route]:
    """By weight; where users stay with their version, the answer tells them which it was."""
    canary = model.settings.canary
    routes = []
    for version in model.versions:
        route = {"destination": _destination(model, version.name), "weight": version.weight}
        if canary and canary.sticky:
            cookie = model.version_cookie(version.name)
            route["headers"] = {"response": {"add": {"set-cookie": cookie}}}
        routes.append(route)
    return routes


def _destination(model: Model, version: str) -> Route:
    return {"host": model.service_host, "subset": version, "port": {"number": model.port}}


def _mirror(model: Model) -> Route:
    settings = model.settings.traffic.mirror
    if settings is None or model.mirror is None:
        return {}
    return {
        "mirror": _destination(model.mirror, "stable"),
        "mirrorPercentage": {"value": settings.percent},
    }


def _fault(fault: FaultSettings) -> Route:
    share = {"percentage": {"value": fault.percent}}
    delay = {"delay": share | {"fixedDelay": fault.delay}} if fault.delay else {}
    abort = {"abort": share | {"httpStatus": fault.abort}} if fault.abort else {}
    return delay | abort


def _behaviour(traffic: TrafficSettings) -> Route:
    timeout = {"timeout": traffic.timeouts.response} if traffic.timeouts.response else {}
    return {"retries": _retries(traffic)} | timeout


def _retries(traffic: TrafficSettings) -> dict[str, Any]:
    """Written even when off: without it Istio retries twice, also on 503.

    Envoy's per-try timeout ends with the first byte of the response
    (https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts), so that it bounds
    the wait for it and never cuts a stream.
    """
    retries: dict[str, Any] = {"attempts": traffic.retries.attempts}
    if traffic.retries.attempts:
        retries["retryOn"] = ",".join(traffic.retries.conditions)
        if traffic.timeouts.first_byte:
            retries["perTryTimeout"] = traffic.timeouts.first_byte
    return retries
