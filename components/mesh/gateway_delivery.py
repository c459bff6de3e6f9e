"""Progressive delivery where routes are the Gateway API's: Flagger makes and keeps one of them."""

from __future__ import annotations

from typing import Any

from components.mesh import gateway_api
from components.mesh.protocol import Delivery
from components.model.model import Model

PROVIDER = "gatewayapi:v1"


def delivery(model: Model, success_rate: str, **service: Any) -> Delivery:
    """Flagger's route has the model's own Service as its parent, as the program's route without
    progressive delivery: callers, policies and the gateway's route stay as they are.

    Until Flagger has made it, the Service's own pods serve. It copies no percentage of a mirror and
    no retries: https://github.com/fluxcd/flagger/blob/main/pkg/router/gateway_api.go.
    """
    # Not as Linkerd repeats it in the route's status, with group core and the namespace: Flagger
    # would wait there for a generation, which Linkerd does not report.
    parents = [gateway_api.service_reference(model)]
    return Delivery(PROVIDER, success_rate, {"gatewayRefs": parents, **service})
