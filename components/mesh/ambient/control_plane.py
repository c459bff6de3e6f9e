"""Ambient's control plane: that of Istio in its ambient profile, and the proxy of every node."""

from __future__ import annotations

from components.chart import Part, Values
from components.mesh import gateway_api
from components.mesh.istio import control_plane as istio
from components.mesh.istio.settings import IstioSettings
from components.traffic import RetrySettings

NODE_GRACE_SECONDS = 300
"""How long a node's proxy that is replaced keeps the streams that it has; its chart starts the new
one beside it first."""


def parts(settings: IstioSettings, traces_endpoint: str | None) -> tuple[Part, ...]:
    """The Gateway API's definitions first, which istiod serves; the proxy of the nodes last, which
    gets its certificates from istiod and its pods from cni.

    https://istio.io/latest/docs/ambient/install/helm/
    """
    definitions = (gateway_api.definitions(),) if settings.gateway_api else ()
    ambient: Values = {"profile": "ambient"}
    if settings.revision:
        ambient["revision"] = settings.revision
    node_proxy = ambient | {"terminationGracePeriodSeconds": NODE_GRACE_SECONDS}
    return (
        *definitions,
        istio.base(settings),
        istio.istiod(settings, traces_endpoint, ambient | _istiod_values()),
        istio.chart(settings, "cni", "istio-cni", ambient, settings.values.cni),
        istio.chart(settings, "ztunnel", "ztunnel", node_proxy, settings.values.ztunnel),
    )


def _istiod_values() -> Values:
    """Retries for all routes at once, as a model has them by default: standard routes of the
    Gateway API cannot say. Istio's own default also repeats a generation that ended in a 503.
    """
    retries = RetrySettings()
    policy = {"attempts": retries.attempts, "retryOn": ",".join(retries.conditions)}
    return {
        "meshConfig": {"defaultHttpRetryPolicy": policy},
        # Waypoints run in the models' namespaces, which take restricted pods alone.
        "gateways": {"seccompProfile": {"type": "RuntimeDefault"}},
    }
