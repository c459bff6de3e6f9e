"""The pod of a model server: one container, locked down, with time to load and time to drain."""

from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest, topology_spread
from components.model import cache
from components.model.lifecycle import PRE_STOP_SECONDS
from components.model.model import Model
from components.model.runtimes.base import CONTAINER, HOME_DIRECTORY
from components.model.settings import ModelSettings
from components.model.version import Version
from components.secret import SecretReference, environment_from

SHARED_MEMORY = "2Gi"
"""Of /dev/shm, by which tensor-parallel workers talk; the runtime's 64 MiB are too little
(https://docs.vllm.ai/en/latest/deployment/k8s/)."""


def pod_template(
    model: Model,
    version: Version,
    labels: dict[str, str],
    annotations: dict[str, str],
    secrets: dict[str, SecretReference],
) -> Manifest:
    """The pod template of one version; `secrets` maps environment variables to Secret keys."""
    metadata: dict[str, Any] = {"labels": labels | {"version": version.name}}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": _pod_spec(model, version, secrets)}


def _pod_spec(model: Model, version: Version, secrets: dict[str, SecretReference]) -> Manifest:
    settings, user = version.settings, version.settings.runtime.user
    spec: Manifest = {
        "serviceAccountName": model.service_account,
        "automountServiceAccountToken": False,
        # A Service named vllm would set VLLM_PORT, which vLLM reads as its own setting.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": model.grace_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": _spread(version),
        "containers": [_container(version, secrets)],
        "volumes": [
            cache.volume(settings.cache, model.name_label),
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": SHARED_MEMORY}},
            {"name": "home", "emptyDir": {}},
        ],
    }
    if node_selector := _node_selector(settings):
        spec["nodeSelector"] = node_selector
    if tolerations := _tolerations(settings):
        spec["tolerations"] = tolerations
    return spec


def _container(version: Version, secrets: dict[str, SecretReference]) -> Manifest:
    settings, launch = version.settings, version.launch
    runtime = settings.runtime
    plain = [{"name": key, "value": text} for key, text in runtime.variables(launch).items()]
    return {
        "name": CONTAINER,
        "image": runtime.image,
        **runtime.command(launch),
        "ports": [{"name": "http", "containerPort": runtime.port}],
        "env": plain + [environment_from(key, source) for key, source in secrets.items()],
        "resources": _resources(settings),
        "volumeMounts": [
            cache.mount(settings.cache),
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
            {"name": "home", "mountPath": HOME_DIRECTORY},
        ],
        **_probes(version),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _resources(settings: ModelSettings) -> dict[str, Any]:
    asked, gpu = settings.resources, settings.gpu
    gpus = {gpu.resource: str(gpu.count)} if gpu.count else {}
    return {
        "requests": {"cpu": asked.cpu, "memory": asked.memory} | gpus,
        "limits": {"memory": asked.memory} | gpus,
    }


def _probes(version: Version) -> dict[str, Any]:
    """Loading has the startup probe's time; a busy server is not killed, only left out.

    Timeouts are above Kubernetes' 1 s, which a server in a long prefill misses
    (https://github.com/kserve/kserve/issues/5062).
    """
    runtime, startup = version.settings.runtime, version.settings.startup
    health = {"httpGet": {"path": runtime.health, "port": "http"}}
    return {
        "startupProbe": {
            **runtime.warm_up(version.launch),
            "periodSeconds": startup.period_seconds,
            "failureThreshold": startup.failures,
            "timeoutSeconds": 10,
        },
        "readinessProbe": {
            **health,
            "periodSeconds": 5,
            "failureThreshold": 3,
            "timeoutSeconds": 5,
        },
        "livenessProbe": {
            **health,
            "periodSeconds": 20,
            "failureThreshold": 6,
            "timeoutSeconds": 10,
        },
    }


def _spread(version: Version) -> list[dict[str, Any]]:
    """Over zones, then nodes."""
    keys = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    return [topology_spread(key, version.selector) for key in keys]


def _node_selector(settings: ModelSettings) -> dict[str, str]:
    product = settings.gpu.product
    by_product = {"nvidia.com/gpu.product": product} if product else {}
    return by_product | settings.node_selector


def _tolerations(settings: ModelSettings) -> list[dict[str, Any]]:
    gpu = settings.gpu
    taint = [{"key": gpu.resource, "operator": "Exists", "effect": "NoSchedule"}]
    return (taint if gpu.count else []) + [
        toleration.model_dump(exclude_none=True) for toleration in settings.tolerations
    ]
