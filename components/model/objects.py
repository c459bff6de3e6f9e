"""The Kubernetes objects of a model server, from its settings."""

from __future__ import annotations

from components.autoscaling import autoscaler
from components.kubernetes import Manifest, manifest
from components.mesh.protocol import Metadata
from components.model.model import Model
from components.model.pod import pod_template
from components.model.runtimes.base import CONTAINER
from components.model.version import Version
from components.secret import SecretReference

IMAGE_PULL_SECONDS = 900
"""Time to pull a model server's image, of about 10 GB, before a rollout counts as stuck."""


def service_account(model: Model) -> Manifest:
    """An identity of its own for the mesh's policies; without a token for the API server."""
    return manifest(
        "v1",
        "ServiceAccount",
        model.service_account,
        model.namespace,
        labels=model.labels,
        automountServiceAccountToken=False,
    )


def service(model: Model, mesh: Metadata | None = None) -> Manifest:
    """All versions behind one name; which one answers is the route's choice."""
    port = {
        "name": "http",
        "port": model.port,
        "targetPort": "http",
        "protocol": "TCP",
        # Meshes and gateways go by this rather than guess from the first bytes.
        "appProtocol": "http",
    }
    return manifest(
        "v1",
        "Service",
        model.service,
        model.namespace,
        labels=model.labels | (mesh.labels if mesh else {}),
        annotations=mesh.annotations if mesh else None,
        spec={"type": "ClusterIP", "selector": model.selector, "ports": [port]},
    )


def disruption_budget(model: Model) -> Manifest:
    """Node drains take one replica at a time, and are never blocked by one that is broken."""
    return manifest(
        "policy/v1",
        "PodDisruptionBudget",
        model.name,
        model.namespace,
        labels=model.labels,
        spec={
            "maxUnavailable": 1,
            "selector": {"matchLabels": model.selector},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def deployment(
    model: Model, version: Version, pod: Metadata, secrets: dict[str, SecretReference]
) -> Manifest:
    """One version's Deployment; without `replicas` where an autoscaler owns them."""
    settings = model.settings
    labels = model.labels | {"version": version.name}
    replicas = {} if version.replicas is None else {"replicas": version.replicas}
    rollout = {
        "maxSurge": settings.rollout.surge,
        "maxUnavailable": settings.rollout.unavailable,
    }
    annotations = pod.annotations | _scraping(model)
    return manifest(
        "apps/v1",
        "Deployment",
        version.deployment,
        model.namespace,
        labels=labels,
        # Flagger scales it to zero and back as it judges, which no deployment should wait for.
        annotations={"pulumi.com/skipAwait": "true"} if settings.progressive else {},
        spec={
            **replicas,
            "selector": {"matchLabels": version.selector},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rollout},
            "progressDeadlineSeconds": progress_seconds(model),
            "template": pod_template(
                model, version, model.labels | pod.labels, annotations, secrets
            ),
        },
    )


def progress_seconds(model: Model) -> int:
    """How long one replica may take to become ready: to pull its image and to load."""
    return IMAGE_PULL_SECONDS + model.settings.startup.seconds


def rollout_seconds(model: Model) -> int:
    """How long a whole rollout may take, replica by replica."""
    at_once = max(1, model.settings.rollout.surge + model.settings.rollout.unavailable)
    waves = -(-max(version.most_replicas for version in model.versions) // at_once)
    return waves * (progress_seconds(model) + model.grace_seconds)


def _scraping(model: Model) -> dict[str, str]:
    path = model.settings.runtime.metrics_path
    if path is None:
        return {}
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(model.port),
        "prometheus.io/path": path,
    }


def autoscalers(model: Model) -> list[Manifest]:
    """One for each version that has autoscaling; it owns the replicas of that Deployment."""
    return [
        scaler(model, version, version.deployment)
        for version in model.versions
        if version.scaling is not None
    ]


def scaler(model: Model, version: Version, deployment: str) -> Manifest:
    """The autoscaler of a version, for a Deployment of this name."""
    if version.scaling is None:
        raise ValueError(f"{deployment} has a fixed number of replicas")
    return autoscaler(
        version.scaling,
        name=deployment,
        namespace=model.namespace,
        container=CONTAINER,
        labels=model.labels,
        queue_metric=version.settings.runtime.queue_metric,
        prometheus=model.prometheus,
    )
