"""Progressive delivery in ambient mode: the waypoint splits, and counts success."""

from __future__ import annotations

from typing import Any

from components.mesh import gateway_api
from components.mesh.gateway_delivery import delivery as by_route
from components.mesh.istio.delivery import success_rate
from components.mesh.protocol import Delivery
from components.model.model import Model


def delivery(model: Model) -> Delivery:
    """What the program's own route would say beside the weights is said to Flagger."""
    service: dict[str, Any] = {}
    if response := model.settings.traffic.timeouts.response:
        service["timeout"] = response
    if model.mirror is not None:
        service["mirror"] = [{"backendRef": gateway_api.mirror_reference(model.mirror)}]
    return by_route(model, success_rate(model, "waypoint"), **service)
