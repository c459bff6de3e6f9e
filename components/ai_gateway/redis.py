"""The Redis in which the rate limit service counts: one pod, without a disk.

A Deployment of the official image, as in Envoy AI Gateway's own example: a chart would bring users,
replication and disks for numbers that are worth nothing when their hour is over.
"""

from __future__ import annotations

from components.ai_gateway.names import NAMESPACE
from components.kubernetes import Manifest, manifest, recommended_labels

NAME = "redis"
PORT = 6379
USER = 999
"""`redis` in the image."""

OPTIONS = {
    "appendonly": "no",
    "maxmemory": "192mb",
    "maxmemory-policy": "volatile-ttl",
    "save": "",
}
"""Nothing on disk; when memory runs out, the numbers that end soonest are forgotten first."""


def objects(image: str) -> tuple[Manifest, ...]:
    selector = {"app.kubernetes.io/name": NAME}
    labels = recommended_labels(NAME, "token-budget")
    ports = [{"name": "redis", "port": PORT}]
    counter = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "envoy-ratelimit"}}}
    return (
        # Redis has no password here: whoever reached it could give tokens to everybody.
        manifest(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            NAME,
            NAMESPACE,
            labels=labels,
            spec={
                "podSelector": {"matchLabels": selector},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [counter], "ports": [{"port": PORT}]}],
            },
        ),
        manifest(
            "v1",
            "Service",
            NAME,
            NAMESPACE,
            labels=labels,
            spec={"selector": selector, "ports": ports},
        ),
        _deployment(image, selector, labels),
    )


def _deployment(image: str, selector: dict[str, str], labels: dict[str, str]) -> Manifest:
    probe = {"tcpSocket": {"port": PORT}}
    container = {
        "name": NAME,
        "image": image,
        "args": [word for option, value in OPTIONS.items() for word in (f"--{option}", value)],
        "ports": [{"name": "redis", "containerPort": PORT}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": selector}, "template": template}
    return manifest("apps/v1", "Deployment", NAME, NAMESPACE, labels=labels, spec=spec)
