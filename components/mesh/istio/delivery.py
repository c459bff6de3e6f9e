"""Progressive delivery on Istio: what Flagger shifts, and how Istio counts success."""

from __future__ import annotations

from components.mesh.protocol import Delivery
from components.model.model import Model


def delivery(model: Model) -> Delivery:
    """Flagger writes the weights into a VirtualService of its own, to which the model's delegate:
    hosts, gateways, retries and faults stay where they are for every model."""
    return Delivery("istio", success_rate(model, "destination"), {"delegation": True})


def success_rate(model: Model, reporter: str) -> str:
    """Of the requests to the new version's pods, as the proxies that report so count them."""
    to_canary = (
        f'reporter="{reporter}",destination_workload_namespace="{model.namespace}",'
        f'destination_workload="{model.name}"'
    )
    good = _per_second(f'{to_canary},response_code!~"5.*"')
    return f"100 * {good} / {_per_second(to_canary)}"


def _per_second(requests: str) -> str:
    return f"sum(rate(istio_requests_total{{{requests}}}[{{{{ interval }}}}]))"
