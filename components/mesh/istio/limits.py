"""Istio's limits: how much a replica takes, and how much a caller may ask of the gateway."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from components.kubernetes import Manifest, manifest
from components.limits import ConcurrencySettings, RateLimitSettings
from components.mesh.istio import gateway
from components.mesh.istio.destination import GROUP, connection_pool
from components.model.model import Model
from components.model.version import Version
from components.types import seconds

CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"

_TYPE = "type.googleapis.com/envoy.extensions.filters"

CALLERS = 10_000
"""Callers that a gateway pod remembers for a model; beyond them it forgets the one that has been
quiet longest, who then starts anew. Envoy's own 20 would forget callers who are still sending."""

OVERLOADED = json.dumps(
    {
        "error": {
            "message": "This model has all the requests that it can take; try again later.",
            "type": "rate_limit_error",
            "param": None,
            "code": "overloaded",
        }
    }
)
"""In the shape of OpenAI's errors, which its clients show."""


def per_replica(model: Model) -> Iterator[Manifest]:
    """A limit for each version's pods, kept by their own proxies, and what says so to callers."""
    concurrency = model.settings.traffic.concurrency
    limits = [(version, version.settings.request_limit) for version in model.versions]
    limited = [_sidecar(model, version, limit) for version, limit in limits if limit]
    yield from limited
    if concurrency and limited:
        yield _refusal(model, concurrency)


def _sidecar(model: Model, version: Version, limit: int) -> Manifest:
    """The proxy of a pod has a pool of its own towards the server beside it; without this it would
    have the DestinationRule's, which is for each of the callers' proxies.

    Requests are limited and connections not: with HTTP/1.1 a connection carries one request, and
    those beyond a limit of connections would wait in the proxy, where no metric of the server's
    queue counts them.
    https://istio.io/latest/docs/reference/config/networking/sidecar/
    """
    pool = connection_pool(model.settings.traffic)
    tcp = {key: value for key, value in pool["tcp"].items() if key != "maxConnections"}
    http = {
        "http1MaxPendingRequests": limit,
        "http2MaxRequests": limit,
        "idleTimeout": pool["http"]["idleTimeout"],
    }
    return manifest(
        GROUP,
        "Sidecar",
        version.deployment,
        model.namespace,
        labels=model.labels,
        spec={
            "workloadSelector": {"labels": model.selector | {"version": version.name}},
            "inboundConnectionPool": {"tcp": tcp, "http": http},
        },
    )


def _refusal(model: Model, concurrency: ConcurrencySettings) -> Manifest:
    """Envoy answers 503 where a limit is reached (response flag UO); callers get 429 instead."""
    reply = {
        "filter": {"response_flag_filter": {"flags": ["UO"]}},
        "status_code": 429,
        "body": {"inline_string": OVERLOADED},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "application/json",
        },
        "headers_to_add": [_header("retry-after", f"{seconds(concurrency.retry_after):g}")],
    }
    patch = {
        "applyTo": "NETWORK_FILTER",
        "match": {
            "context": "SIDECAR_INBOUND",
            "listener": {"filterChain": {"filter": {"name": CONNECTION_MANAGER}}},
        },
        "patch": {
            "operation": "MERGE",
            "value": {
                "typed_config": {
                    "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
                    "local_reply_config": {"mappers": [reply]},
                }
            },
        },
    }
    name = f"{model.name}-overloaded"
    return _envoy_filter(model, name, model.namespace, model.selector, patch)


def per_caller(model: Model, routes: Iterable[Manifest]) -> Iterator[Manifest]:
    """A limit at the gateway for each caller of the model's routes there.

    By the route's own name in Envoy's metadata, so that all kinds of request of a caller count
    together, whatever version or fault they meet.
    """
    limit = model.settings.traffic.rate_limit
    names = [
        f"/apis/{GROUP}/namespaces/{route['metadata']['namespace']}/virtual-service/"
        f"{route['metadata']['name']}"
        for route in routes
        if gateway.REFERENCE in route["spec"]["gateways"]
    ]
    if limit is None or not names:
        return
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "GATEWAY",
            "listener": {
                "filterChain": {
                    "filter": {
                        "name": CONNECTION_MANAGER,
                        "subFilter": {"name": "envoy.filters.http.router"},
                    }
                }
            },
        },
        "patch": {"operation": "INSERT_BEFORE", "value": _rate_limit(model, limit, names)},
    }
    name = f"{model.name}-callers"
    yield _envoy_filter(model, name, gateway.NAMESPACE, gateway.pod_selector(), patch)


def _rate_limit(model: Model, limit: RateLimitSettings, routes: list[str]) -> dict[str, Any]:
    """Envoy's local rate limit, with a bucket of tokens for each value of the header, and one for
    requests without it. Requests to other models have no bucket here, and pass.
    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter
    """
    route_name = {"key": "istio", "path": [{"key": "config"}]}
    caller = {"header_name": limit.header, "descriptor_key": "caller", "skip_if_absent": True}
    actions = [
        {
            "metadata": {
                "descriptor_key": "route",
                "metadata_key": route_name,
                "source": "ROUTE_ENTRY",
            }
        },
        {"request_headers": caller},
    ]
    bucket = {
        "max_tokens": limit.requests,
        "tokens_per_fill": limit.requests,
        "fill_interval": f"{limit.seconds}s",
    }
    descriptors = [
        {"entries": [{"key": "route", "value": route}, *entry], "token_bucket": bucket}
        for route in routes
        for entry in ([{"key": "caller"}], [])
    ]
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "name": f"inference-mesh.rate-limit.{model.name}",
        "typed_config": {
            "@type": f"{_TYPE}.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": f"{model.name_label}.callers",
            "filter_enabled": always,
            "filter_enforced": always,
            "rate_limits": [{"actions": actions}],
            "descriptors": descriptors,
            "max_dynamic_descriptors": CALLERS,
            "always_consume_default_token_bucket": False,
            "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
            "response_headers_to_add": [_header("retry-after", str(limit.retry_after))],
        },
    }


def _header(name: str, value: str) -> dict[str, Any]:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _envoy_filter(
    model: Model, name: str, namespace: str, selector: dict[str, str], patch: dict[str, Any]
) -> Manifest:
    return manifest(
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        name,
        namespace,
        labels=model.labels,
        spec={"workloadSelector": {"labels": selector}, "configPatches": [patch]},
    )
