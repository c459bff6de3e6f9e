"""Istio's routing: a VirtualService and a DestinationRule for a model."""

from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway
from components.model.model import Model
from components.model.settings import RouteSettings
from components.traffic import TrafficSettings

GROUP = "networking.istio.io/v1"


def destination_rule(model: Model) -> Manifest:
    """Subsets for every version that runs, and how connections to the pods behave."""
    subsets = [
        {"name": version.name, "labels": {"version": version.name}} for version in model.versions
    ]
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


def _http_routes(model: Model, gateways: list[str]) -> list[dict[str, Any]]:
    """One route where the model has its whole host; two where it lives below a prefix of it."""
    behaviour = _behaviour(model)
    route = model.settings.route
    if len(gateways) == 1 or route is None or not route.prefix.strip("/"):
        return [{"name": model.name, **behaviour}]
    return [
        {"name": f"{model.name}-gateway", **_below_prefix(route), **behaviour},
        {"name": model.name, "match": [{"gateways": ["mesh"]}], **behaviour},
    ]


def _below_prefix(route: RouteSettings) -> dict[str, Any]:
    """The prefix alone and all below it, without also matching /name-and-more."""
    prefix = route.prefix.rstrip("/")
    only_gateway = {"gateways": [gateway.REFERENCE]}
    return {
        "match": [
            {**only_gateway, "uri": {"prefix": f"{prefix}/"}},
            {**only_gateway, "uri": {"exact": prefix}},
        ],
        "rewrite": {"uri": "/"},
    }


def _behaviour(model: Model) -> dict[str, Any]:
    traffic = model.settings.traffic
    behaviour: dict[str, Any] = {
        "route": [
            {
                "destination": {
                    "host": model.service_host,
                    "subset": version.name,
                    "port": {"number": model.port},
                },
                "weight": version.weight,
            }
            for version in model.versions
        ],
        "retries": _retries(traffic),
    }
    if traffic.timeouts.response:
        behaviour["timeout"] = traffic.timeouts.response
    return behaviour


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
