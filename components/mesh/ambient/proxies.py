"""The pods that istiod makes of a Gateway object: how many, how large, and how they stop."""

from __future__ import annotations

import json
from typing import Any

from components.kubernetes import Manifest, manifest, topology_spread
from components.mesh.istio.settings import IstioSettings

NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
"""Istiod puts it on the pods, with the Gateway's name."""


def parameters(
    settings: IstioSettings,
    name: str,
    namespace: str,
    grace_seconds: int,
    *,
    max_replicas: int = 5,
    resources: dict[str, Any] | None = None,
    service: dict[str, Any] | None = None,
) -> Manifest:
    """What a Gateway's `infrastructure.parametersRef` names: changes to the objects that istiod
    makes, each as a strategic merge patch. Without one of its own, istiod makes no autoscaler.

    https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
    """
    changes: dict[str, Any] = {"deployment": _deployment(name, grace_seconds, resources)}
    if settings.high_availability:
        changes["horizontalPodAutoscaler"] = _autoscaler(max_replicas)
        changes["podDisruptionBudget"] = {"spec": {"maxUnavailable": 1}}
    if service:
        changes["service"] = service
    data = {key: json.dumps(change, sort_keys=True) for key, change in changes.items()}
    return manifest("v1", "ConfigMap", parameters_name(name), namespace, data=data)


def parameters_name(name: str) -> str:
    return f"{name}-parameters"


def infrastructure(name: str) -> dict[str, Any]:
    """The part of a Gateway that names its parameters."""
    reference = {"group": "", "kind": "ConfigMap", "name": parameters_name(name)}
    return {"parametersRef": reference}


def labels(settings: IstioSettings) -> dict[str, str]:
    """By which a control plane of several knows a Gateway as its own."""
    return {"istio.io/rev": settings.revision} if settings.revision else {}


def _deployment(name: str, grace_seconds: int, resources: dict[str, Any] | None) -> dict[str, Any]:
    # A pod that stops serves its open streams to their end, within the grace period.
    drain = {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true", "MINIMUM_DRAIN_DURATION": "15s"}
    container: dict[str, Any] = {
        "name": "istio-proxy",
        "env": [{"name": key, "value": value} for key, value in drain.items()],
    }
    if resources:
        container["resources"] = resources
    pod = {
        "terminationGracePeriodSeconds": grace_seconds,
        "topologySpreadConstraints": [
            topology_spread("kubernetes.io/hostname", {NAME_LABEL: name})
        ],
        "containers": [container],
    }
    return {"spec": {"template": {"spec": pod}}}


def _autoscaler(max_replicas: int) -> dict[str, Any]:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": cpu}]
    return {"spec": {"minReplicas": 2, "maxReplicas": max_replicas, "metrics": metrics}}
