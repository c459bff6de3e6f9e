"""What runs, in a few lines for a person."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

from cli.target import Target

PART = "app.kubernetes.io/part-of=inference-mesh"
KINDS = "deployments,pods,horizontalpodautoscalers,services"

Objects = list[dict[str, Any]]


def summary(target: Target) -> str:
    """Gateway, models with their pods and proxies, and where to look next."""
    ours = _get(target, KINDS, "--selector", PART)
    balancers = [item for item in _get(target, "services") if _is(item, "type", "LoadBalancer")]
    lines = [
        f"stack {target.stack.name} on {target.description}",
        *_gateways(balancers),
        *_models(ours),
    ]
    return "\n".join([*lines, *_hints(target)])


def _get(target: Target, kinds: str, *options: str) -> Objects:
    items: Objects = target.cluster.get(kinds, "--all-namespaces", *options)["items"]
    return items


def _is(item: dict[str, Any], key: str, value: str) -> bool:
    return bool(item["spec"].get(key) == value)


def _path(item: dict[str, Any]) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def _gateways(balancers: Objects) -> Iterator[str]:
    for service in balancers:
        given = service["status"].get("loadBalancer", {}).get("ingress", [])
        addresses = [entry.get("hostname") or entry["ip"] for entry in given]
        ports = [str(port["port"]) for port in service["spec"]["ports"] if port["port"] != 15021]
        yield (
            f"  gateway  {_path(service)} at {', '.join(addresses) or 'no address yet'}, "
            f"ports {', '.join(ports)}"
        )


def _models(ours: Objects) -> Iterator[str]:
    pods = [item for item in ours if item["kind"] == "Pod"]
    scalers = {_path(i): i for i in ours if i["kind"] == "HorizontalPodAutoscaler"}
    for deployment in (item for item in ours if item["kind"] == "Deployment"):
        labels = deployment["spec"]["selector"]["matchLabels"]
        own = [pod for pod in pods if labels.items() <= pod["metadata"]["labels"].items()]
        wanted = deployment["spec"]["replicas"]
        available = deployment["status"].get("availableReplicas", 0)
        scaler = scalers.get(_path(deployment))
        scaling = _scaling(scaler, wanted) if scaler else ""
        yield (
            f"  model    {_path(deployment)}: {available}/{wanted} available, "
            f"{_proxied(own)}{scaling}"
        )
        for pod in own:
            yield f"             {pod['metadata']['name']} on {pod['spec'].get('nodeName', '-')}"


def _proxied(pods: list[dict[str, Any]]) -> str:
    """Where no pod has a proxy, none may be meant to: it can also stand beside them."""
    proxied = sum(_has_proxy(pod) for pod in pods)
    return f"{proxied}/{len(pods)} pods with a proxy" if proxied else "no proxy in its pods"


def _has_proxy(pod: dict[str, Any]) -> bool:
    """Native sidecars are init containers that keep running."""
    containers = pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    return any(container["name"].endswith("-proxy") for container in containers)


def _scaling(scaler: dict[str, Any], now: int) -> str:
    least, most = scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]
    coming = f", {least - now} more to come" if now < least else ""
    return f", scaled {least} to {most}{coming}"


def _hints(target: Target) -> Iterator[str]:
    others = os.environ["PATH"].partition(os.pathsep)[2] if target.simulated else None
    kubectl = "kubectl" if shutil.which("kubectl", path=others) else target.cluster.kubectl
    yield f"  look     KUBECONFIG={target.shown_kubeconfig} {kubectl} get pods --all-namespaces"
    if target.simulated:
        yield "           .venv/bin/python -m simcluster status (or: logs istiod)"
        yield "  go on    make preview STACK=prod; make down"
