"""Errors on purpose: a share of the requests goes to a backend that answers nothing else.

Linkerd has no fault filter, so that a delay cannot be had
(https://linkerd.io/2-edge/tasks/fault-injection/).
"""

from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest, manifest
from components.mesh.linkerd.injection import INJECT
from components.model.model import Model

IMAGE = "docker.io/hashicorp/http-echo:1.0.0"
"""Answers each request with one status: https://github.com/hashicorp/http-echo."""

PORT = 5678
USER = 65532
"""The user that the image has, by number, as runAsNonRoot wants it."""


def name(model: Model) -> str:
    return f"{model.service}-fault"


def backend(model: Model) -> tuple[Manifest, ...]:
    """One pod, not in the mesh, since the namespace lets nobody in to what no policy names."""
    fault = model.settings.traffic.fault
    if fault is None or fault.abort is None:
        return ()
    labels = {"app.kubernetes.io/name": name(model), "app.kubernetes.io/part-of": "inference-mesh"}
    pod = {
        "metadata": {"labels": labels, "annotations": {INJECT: "disabled"}},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(fault.abort)],
        },
    }
    deployment = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    port = {"name": "http", "port": PORT, "targetPort": PORT, "appProtocol": "http"}
    return (
        _object("apps/v1", "Deployment", model, labels, deployment),
        _object("v1", "Service", model, labels, {"selector": labels, "ports": [port]}),
    )


def _container(status: int) -> dict[str, Any]:
    return {
        "name": "fault",
        "image": IMAGE,
        "args": [f"-listen=:{PORT}", "-text=injected fault", f"-status-code={status}"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _object(
    api_version: str, kind: str, model: Model, labels: dict[str, str], spec: dict[str, Any]
) -> Manifest:
    return manifest(api_version, kind, name(model), model.namespace, labels=labels, spec=spec)


def disturbed(model: Model, route: Manifest) -> Manifest:
    """The route with its share of errors: of all requests, or of those with certain headers."""
    fault = model.settings.traffic.fault
    if fault is None or fault.abort is None:
        return route
    rules = route["spec"]["rules"]
    if fault.headers:
        *special, rest = rules
        exactly = [
            {"type": "Exact", "name": header, "value": value}
            for header, value in fault.headers.items()
        ]
        chosen = rest | {"name": f"{model.name}-fault", "matches": [{"headers": exactly}]}
        rules = [_with_errors(model, chosen, fault.percent), *special, rest]
    else:
        rules = [_with_errors(model, rule, fault.percent) for rule in rules]
    return route | {"spec": route["spec"] | {"rules": rules}}


def _with_errors(model: Model, rule: dict[str, Any], percent: int) -> dict[str, Any]:
    """Weights that add up to 100 times what they did: whole numbers whatever the percentage."""
    backends = rule["backendRefs"]
    whole = sum(entry.get("weight", 1) for entry in backends)
    calm = [entry | {"weight": entry.get("weight", 1) * (100 - percent)} for entry in backends]
    errors = {"group": "", "kind": "Service", "name": name(model), "port": PORT}
    return rule | {"backendRefs": [*calm, errors | {"weight": whole * percent}]}
