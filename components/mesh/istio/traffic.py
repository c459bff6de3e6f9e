"""Istio's routing: a model's VirtualServices, one for the mesh and one for the gateway."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from components.ai_gateway import names
from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway, model_router
from components.mesh.istio.destination import GROUP
from components.model.model import Model
from components.model.route import RouteSettings
from components.traffic import FaultSettings, TrafficSettings

Route = dict[str, Any]
Match = dict[str, Any]


@dataclass(frozen=True)
class _Part:
    """A place where requests come in, or a kind of request: what it matches, and what is done."""

    name: str
    matches: list[Match]
    """Any of them; empty for all requests."""
    action: Route


def virtual_services(model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
    """Calls from inside the mesh by the Service's name, and through the gateway by host.

    Each in a VirtualService of its own: two that name the same host for the sidecars would
    exclude each other there, while a gateway merges the routes of all that share a host.
    https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services
    """
    route = model.settings.route
    everywhere = _Part("", [], {})
    inside = _virtual_service(model, model.service, model.service_host, "mesh", everywhere)
    if gateway_host is None or route is None:
        return (inside,)
    host = route.host or gateway_host
    name = f"{model.service}-gateway"
    return inside, _virtual_service(model, name, host, gateway.REFERENCE, _at_gateway(model, route))


def _virtual_service(model: Model, name: str, host: str, owner: str, place: _Part) -> Manifest:
    """All kinds of request that come in at a place; the first match decides."""
    routes = [_in_place(model.name, place, kind) for kind in _kinds(model)]
    if owner == gateway.REFERENCE and model.settings.traffic.token_budget:
        routes.insert(0, _in_place(model.name, _for_counting(model, place), _Part("", [], {})))
    return manifest(
        GROUP,
        "VirtualService",
        name,
        model.namespace,
        labels=model.labels,
        spec={"hosts": [host], "gateways": [owner], "http": routes},
    )


def _at_gateway(model: Model, route: RouteSettings) -> _Part:
    """What comes in for the model, with the rewrite that takes its prefix away."""
    matches: list[Match] = []
    rewrite: Route = {}
    if prefix := route.prefix.rstrip("/"):
        # The prefix alone and all below it, without also matching /name-and-more.
        matches = [{"uri": {"prefix": f"{prefix}/"}}, {"uri": {"exact": prefix}}]
        rewrite = {"rewrite": {"uri": "/"}}
    if route.by_model:
        named = _exactly({model_router.HEADER: model.name})
        matches = [_both(match, named) for match in matches or [{}]]
    return _Part("-gateway", matches, rewrite)


def _for_counting(model: Model, place: _Part) -> _Part:
    """What may generate goes to the AI gateway, whose own call to the model then meets all that
    holds inside: weights, retries, faults. It tells models apart by host."""
    methods = {"method": {"regex": "|".join(names.COUNTED_METHODS)}}
    rewrite = place.action.get("rewrite", {}) | {"authority": model.service_host}
    action = {
        "rewrite": rewrite,
        # The AI gateway believes it: a caller's own could get past the count.
        "headers": {"request": {"remove": [names.MODEL_HEADER]}},
        "retries": {"attempts": 0},
        "route": [{"destination": {"host": names.HOST, "port": {"number": names.PORT}}}],
    }
    if response := model.settings.traffic.timeouts.response:
        action["timeout"] = response
    matches = [_both(match, methods) for match in place.matches or [{}]]
    return _Part(f"{place.name}-counted", matches, action)


def _in_place(name: str, place: _Part, kind: _Part) -> Route:
    """The route of a kind of request that comes in at a place."""
    both = [_both(one, other) for one in place.matches or [{}] for other in kind.matches or [{}]]
    matched = {"match": both} if any(both) else {}
    return {"name": f"{name}{place.name}{kind.name}"} | matched | place.action | kind.action


def _both(one: Match, other: Match) -> Match:
    headers = one.get("headers", {}) | other.get("headers", {})
    return one | other | ({"headers": headers} if headers else {})


def _kinds(model: Model) -> list[_Part]:
    """The kinds of request, the most special first: disturbed, pinned to a version, the rest."""
    traffic, canary = model.settings.traffic, model.settings.canary
    common = _behaviour(traffic) | _mirror(model)
    fault = traffic.fault
    if fault and not fault.headers:
        common["fault"] = _fault(fault)
    kinds = []
    if fault and fault.headers:
        action = _weighted(model) | {"fault": _fault(fault)}
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
    kinds.append(_Part("", [], _weighted(model)))
    if model.settings.progressive:
        # Istio leaves out a route whose delegate is not there: Flagger makes it once its copy of
        # the pods has loaded, and until then the Deployment's own pods serve.
        kinds.append(_Part("-before-release", [], _only(model, "stable")))
    return [replace(kind, action=common | kind.action) for kind in kinds]


def _exactly(headers: dict[str, str]) -> Match:
    return {"headers": {name: {"exact": value} for name, value in headers.items()}}


def _cookie(model: Model, version: str) -> Match:
    return {"headers": {"cookie": {"regex": model.version_cookie_pattern(version)}}}


def _only(model: Model, version: str) -> Route:
    return {"route": [{"destination": _destination(model, version)}]}


def _weighted(model: Model) -> Route:
    """By the weights of the settings, or by those that Flagger keeps in a route of its own."""
    if model.settings.progressive:
        return {"delegate": {"name": model.release_service, "namespace": model.namespace}}
    return {"route": _split(model)}


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
