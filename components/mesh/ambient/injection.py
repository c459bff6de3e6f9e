"""How namespaces join the ambient mesh. Pods join with them, also those that run already."""

from __future__ import annotations

from components.adoption import Adoption
from components.mesh.ambient import waypoint
from components.mesh.protocol import Metadata


def namespace_metadata(adoption: Adoption) -> Metadata:
    """Its traffic passes the node's proxy, and calls to its Services the waypoint, those from the
    gateway too: one place for routes and policies, whoever calls.

    https://istio.io/latest/docs/ambient/usage/waypoint/
    """
    if adoption == "unmeshed":
        return Metadata()
    return Metadata(
        {
            "istio.io/dataplane-mode": "ambient",
            "istio.io/use-waypoint": waypoint.NAME,
            "istio.io/ingress-use-waypoint": "true",
        }
    )
