"""Linkerd's routing: HTTPRoutes for a model, and what Linkerd reads from annotations.

Only fields that Linkerd's own release of the Gateway API knows: it ignores a route with others.
https://linkerd.io/2-edge/features/gateway-api/
"""

from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from components.mesh import gateway_api
from components.mesh.linkerd import fault, gateway
from components.mesh.linkerd.settings import LinkerdSettings
from components.model.model import Model
from components.traffic import OutlierDetectionSettings, TrafficSettings
from components.types import seconds

LONGEST_PENALTY = 10
"""How many times its first penalty a pod that keeps failing is left out at most, as in Envoy."""


def service_annotations(model: Model) -> dict[str, str]:
    """Which pods are left out for a while: read from the Service that callers name.

    Where Flagger has the route, also what is retried and how long it may take: it holds for all
    routes of the Service that say nothing of it, and what is taken out here is gone there.
    https://linkerd.io/2-edge/reference/circuit-breaking/, .../reference/retries/
    """
    if model.adoption == "unmeshed":
        return {}
    traffic = model.settings.traffic
    of_route = _annotations(traffic) if model.settings.progressive else {}
    return _circuit_breaking(traffic.outlier_detection) | of_route


def _circuit_breaking(ejection: OutlierDetectionSettings) -> dict[str, str]:
    first = int(seconds(ejection.ejection_time) * 1000)
    prefix = "balancer.linkerd.io/failure-accrual"
    return {
        prefix: "consecutive",
        f"{prefix}-consecutive-max-failures": str(ejection.consecutive_errors),
        f"{prefix}-consecutive-min-penalty": f"{first}ms",
        f"{prefix}-consecutive-max-penalty": f"{first * LONGEST_PENALTY}ms",
    }


def routes(
    settings: LinkerdSettings, model: Model, gateway_host: str | None
) -> tuple[Manifest, ...]:
    """The Services of the versions, what errors come from where some are asked for, and the
    routes to them: in the mesh, and through the gateway."""
    made = [*gateway_api.version_services(model), *fault.backend(model)]
    if model.settings.progressive is None:
        annotations = _annotations(model.settings.traffic)
        made.append(fault.disturbed(model, gateway_api.service_route(model, None, annotations)))
    if gateway_host is not None and model.settings.route is not None:
        host = model.settings.route.host or gateway_host
        made.append(_gateway_route(settings, model, host))
    return tuple(made)


def _annotations(traffic: TrafficSettings) -> dict[str, str]:
    """Retries of what no server has seen, and none for a response that may have begun.

    With a limit and no statuses the proxy tries again where no pod could be reached, or one
    refused the stream: https://github.com/linkerd/linkerd2-proxy,
    linkerd/app/outbound/src/http/logical/policy/route/retry.rs. A request of more than 64 KiB is
    not tried again. Without annotations there are no retries and no timeouts.
    """
    annotations = {}
    if traffic.retries.attempts:
        annotations["retry.linkerd.io/limit"] = str(traffic.retries.attempts)
    if traffic.timeouts.response:
        # From the end of the request to the end of the response, and not the time in the queue
        # for a connection too, as timeout.linkerd.io/request.
        annotations["timeout.linkerd.io/response"] = traffic.timeouts.response
    return annotations


Part = dict[str, Any]


def _gateway_route(settings: LinkerdSettings, model: Model, host: str) -> Manifest:
    """The public paths alone: the rest of the model's is not for those outside.

    All goes to the model's Service, and the proxy beside the gateway chooses the version. Without
    a timeout of its own the gateway would cut a response after 15 s.
    """
    prefix = (model.settings.route.prefix if model.settings.route else "").rstrip("/")
    backend = {"group": "", "kind": "Service", "name": model.service, "port": model.port}
    common = {
        "timeouts": {"request": model.settings.traffic.timeouts.response or "0s"},
        "backendRefs": [backend],
    }
    rules = [_place(prefix, path) | common for path in model.public_paths or ("/*",)]
    parent = gateway_api.reference(gateway.NAME, gateway.namespace(settings), "https")
    return gateway_api.http_route(
        model, f"{model.service}-gateway", parent, rules, hostnames=[host]
    )


def _place(prefix: str, path: str) -> Part:
    """A public path below the prefix, which is taken away."""
    below = path.endswith("*")
    value = path.removesuffix("*").rstrip("/") if below else path
    match = {
        "type": "PathPrefix" if below else "Exact",
        "value": f"{prefix}{value}" or "/",
    }
    place: Part = {"matches": [{"path": match}]}
    if prefix:
        kind = "ReplacePrefixMatch" if below else "ReplaceFullPath"
        rewrite = {"type": kind, kind[0].lower() + kind[1:]: value or "/"}
        place["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": rewrite}}]
    return place
