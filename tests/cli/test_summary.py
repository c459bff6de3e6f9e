"""The summary reads the cluster through kubectl, whose answers are given here."""

from pathlib import Path
from typing import Any

import pytest

from cli.stack import Stack
from cli.summary import summary
from cli.target import Target
from gitops.cluster import Cluster

LABELS = {"app.kubernetes.io/instance": "m", "version": "stable"}


def item(kind: str, name: str, spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    metadata = {"namespace": "llm", "name": name, "labels": LABELS}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": status}


def pod(name: str, sidecar: str | None) -> dict[str, Any]:
    containers: dict[str, Any] = {"containers": [{"name": "model"}], "nodeName": "l4-0"}
    return item(
        "Pod", name, containers | ({"initContainers": [{"name": sidecar}]} if sidecar else {})
    )


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> str:
    return shown(monkeypatch, "istio-proxy")


def shown(monkeypatch: pytest.MonkeyPatch, sidecar: str | None) -> str:
    """The summary of a model of which one pod has this sidecar."""
    deployment = {"replicas": 1, "selector": {"matchLabels": LABELS}}
    ports = [{"port": 15021}, {"port": 80}, {"port": 443}]
    balancer = item("Service", "in", {"type": "LoadBalancer", "ports": ports})
    balancer["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    answers = {
        "services": [balancer, item("Service", "m", {"type": "ClusterIP", "ports": ports})],
        "ours": [
            item("Deployment", "m", deployment, availableReplicas=1),
            item("HorizontalPodAutoscaler", "m", {"minReplicas": 2, "maxReplicas": 4}),
            pod("m-1", sidecar),
            pod("m-2", None),
        ],
    }

    def get(_: Cluster, kinds: str, *arguments: str) -> dict[str, Any]:
        assert "--all-namespaces" in arguments
        return {"items": answers["services" if kinds == "services" else "ours"]}

    monkeypatch.setattr(Cluster, "get", get)
    return summary(Target(Path("/k"), None, Stack("prod", Path("p.yaml")), simulated=False))


def test_the_gateway_is_shown_with_its_address_and_public_ports(said: str) -> None:
    assert "  gateway  llm/in at 192.0.2.7, ports 80, 443\n" in said
    assert "llm/m at" not in said


def test_a_model_is_shown_with_what_runs_and_what_is_to_come(said: str) -> None:
    line = "llm/m: 1/1 available, 1/2 pods with a proxy, scaled 2 to 4, 1 more to come"
    assert f"  model    {line}\n" in said
    assert "m-1 on l4-0" in said


def test_a_model_with_no_proxy_in_its_pods_is_not_shown_as_if_one_was_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "1/1 available, no proxy in its pods, scaled" in shown(monkeypatch, None)


def test_it_ends_with_where_to_look_on_that_cluster(said: str) -> None:
    assert said.startswith("stack prod on the cluster of /k\n")
    assert said.endswith("KUBECONFIG=/k kubectl get pods --all-namespaces")
