"""Linkerd's control plane: its CRDs, its identity, the control plane and the viz extension."""

from __future__ import annotations

from components.chart import Chart, Part, Values, merge_values
from components.mesh import gateway_api
from components.mesh.linkerd import issuer, tracing, viz
from components.mesh.linkerd.injection import PRIVILEGED
from components.mesh.linkerd.issuer import NAMESPACE, Credentials
from components.mesh.linkerd.settings import SUPPORTED_KUBERNETES, LinkerdSettings
from components.mesh.protocol import Metadata
from components.traffic import TimeoutSettings
from components.types import seconds

REPOSITORY = "https://helm.linkerd.io/edge"


def kubernetes_problem(settings: LinkerdSettings, version: str) -> str | None:
    """Why this Linkerd does not support this Kubernetes, or None."""
    first, last = SUPPORTED_KUBERNETES[settings.minor]
    if first <= int(version.split(".")[1]) <= last:
        return None
    return (
        f"the cluster runs Kubernetes {version}, but Linkerd {settings.version} supports "
        f"1.{first} to 1.{last}; upgrade the cluster, or choose a mesh.version for it"
    )


def namespace_metadata() -> Metadata:
    """As `linkerd install` makes the namespace: its own pods are not judged by its own webhooks."""
    labels = {
        "linkerd.io/is-control-plane": "true",
        "linkerd.io/control-plane-ns": NAMESPACE,
        "config.linkerd.io/admission-webhooks": "disabled",
    }
    return Metadata(labels | PRIVILEGED, {"linkerd.io/inject": "disabled"})


def parts(
    settings: LinkerdSettings, credentials: Credentials | None, traces_endpoint: str | None
) -> tuple[Part, ...]:
    """The Gateway API's CRDs first: Linkerd looks for them once, at its start
    (https://github.com/linkerd/linkerd2/issues/13334)."""
    return (
        gateway_api.definitions(),
        _chart(settings, "linkerd-crds", settings.values.crds),
        *issuer.manifests(settings.identity, credentials, settings.trust_domain),
        _chart(
            settings,
            "linkerd-control-plane",
            _control_plane_values(settings, credentials, traces_endpoint),
            settings.values.control_plane,
        ),
        *viz.parts(settings, REPOSITORY),
    )


def _chart(settings: LinkerdSettings, name: str, *values: Values) -> Chart:
    return Chart(name, name, NAMESPACE, settings.version, REPOSITORY, merge_values(*values))


def _control_plane_values(
    settings: LinkerdSettings, credentials: Credentials | None, traces_endpoint: str | None
) -> Values:
    connect = int(seconds(TimeoutSettings().connect) * 1000)
    return merge_values(
        {
            # By default pods start without a proxy, and so without a policy, when none can be
            # injected.
            "webhookFailurePolicy": "Fail",
            "identityTrustDomain": settings.trust_domain,
            "proxy": {"outboundConnectTimeout": f"{connect}ms"}
            | tracing.of_proxies(settings, traces_endpoint),
            # Counts installations at linkerd.io, each night.
            "disableHeartBeat": True,
        },
        issuer.values(settings.identity, credentials),
        _high_availability() if settings.high_availability else {},
    )


def _high_availability() -> Values:
    """The chart's own values-ha.yaml, without the larger proxies in all pods.

    https://github.com/linkerd/linkerd2/blob/main/charts/linkerd-control-plane/values-ha.yaml
    """
    controller = _resources("100m", "50Mi")
    return {
        "highAvailability": True,
        "controllerReplicas": 3,
        "enablePodAntiAffinity": True,
        "enablePodDisruptionBudget": True,
        "deploymentStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}},
        "destinationResources": controller,
        "proxyInjectorResources": controller,
        "spValidatorResources": controller,
        "identityResources": _resources("100m", "10Mi"),
    }


def _resources(cpu: str, memory: str) -> Values:
    return {"cpu": {"request": cpu}, "memory": {"request": memory, "limit": "250Mi"}}
