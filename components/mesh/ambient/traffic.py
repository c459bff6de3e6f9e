"""Ambient's routing: HTTPRoutes, a Service for every version, and how connections to it behave."""

from __future__ import annotations

from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.ambient import gateway
from components.mesh.istio.destination import GROUP, traffic_policy
from components.model.model import Model
from components.model.version import VERSIONS


def objects(model: Model, gateway_host: str | None) -> tuple[Manifest, ...]:
    """The Services first: a route to one that is not there is refused."""
    timeouts = _timeouts(model)
    made = [
        *gateway_api.version_services(model),
        *(_destination_rule(model, service) for service in _services(model)),
        *gateway_api.mirror_grant(model),
    ]
    if model.settings.progressive is None:
        made.append(gateway_api.service_route(model, timeouts))
    route = model.settings.route
    if gateway_host is not None and route is not None:
        # Without a waypoint behind the gateway, it chooses the version itself.
        alone = model.adoption == "unmeshed"
        host = route.host or gateway_host
        made.append(
            gateway_api.gateway_route(
                model,
                host,
                gateway.LISTENER,
                split=alone,
                timeouts=timeouts if alone else None,
            )
        )
    return tuple(made)


def _timeouts(model: Model) -> dict[str, str] | None:
    response = model.settings.traffic.timeouts.response
    return {"request": response} if response else None


def _services(model: Model) -> list[str]:
    """Those that routes send to: of the versions, and where Flagger has the route its own, with the
    model's until it is there."""
    own = [gateway_api.version_service(model, version) for version in VERSIONS]
    if model.settings.progressive is None:
        return own
    return [*own, model.service, *model.release_services[1:]]


def _destination_rule(model: Model, name: str) -> Manifest:
    """What the waypoint does with connections to the pods behind a Service."""
    return manifest(
        GROUP,
        "DestinationRule",
        name,
        model.namespace,
        labels=model.labels,
        spec={
            "host": f"{name}.{model.namespace}.svc.cluster.local",
            "trafficPolicy": traffic_policy(model.settings.traffic),
        },
    )
