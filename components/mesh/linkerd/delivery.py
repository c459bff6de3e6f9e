"""Progressive delivery on Linkerd: how it counts success, and how Flagger gets to know.

https://docs.flagger.app/tutorials/linkerd-progressive-delivery
"""

from __future__ import annotations

from components.mesh.gateway_delivery import delivery as by_route
from components.mesh.linkerd.injection import INJECT, PRIVILEGED
from components.mesh.linkerd.settings import LinkerdSettings
from components.mesh.protocol import Deliverer, Delivery, Metadata
from components.model.model import Model


def delivery(model: Model) -> Delivery:
    """As the proxies of the new pods count it, of callers in the mesh alone: the kubelet's probes
    and Prometheus, which nobody shifts, would make every version look better."""
    to_canary = (
        f'direction="inbound",tls="true",namespace="{model.namespace}",deployment="{model.name}"'
    )
    good = _per_second(f'{to_canary},classification="success"')
    return by_route(model, f"100 * {good} / {_per_second(to_canary)}")


def _per_second(responses: str) -> str:
    return f"sum(rate(response_total{{{responses}}}[{{{{ interval }}}}]))"


def deliverer(settings: LinkerdSettings) -> Deliverer:
    """Flagger is in the mesh, since Linkerd's own Prometheus answers identities that it knows."""
    own = settings.viz is not None and settings.viz.prometheus is None
    values = {"linkerdAuthPolicy": {"create": True}} if own else {}
    return Deliverer(Metadata(PRIVILEGED, {INJECT: "enabled"}), values)
