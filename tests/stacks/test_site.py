"""The deployed stack: what the real controllers, scheduler and injector make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

NAMESPACE = "--namespace=ai-inference"
GATEWAY_NAMESPACE = "--namespace=istio-ingress"
GATEWAY = (GATEWAY_NAMESPACE, "--selector=istio=ingress")
NAME = "deepseek-r1-1.5b"


def pods(site: Site, *arguments: str) -> list[dict[str, Any]]:
    """The pods of models that are to stay."""
    found = site.get("pods", *(arguments or (NAMESPACE,)))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def init_containers(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {container["name"]: container for container in pod["spec"]["initContainers"]}


def enforced(site: Site, namespace: str) -> str | None:
    labels = site.get("namespace", namespace)["metadata"]["labels"]
    level: str | None = labels.get("pod-security.kubernetes.io/enforce")
    return level


def test_models_run_on_the_nodes_with_their_gpu(site: Site) -> None:
    nodes = {node["metadata"]["name"]: node for node in site.get("nodes")["items"]}
    products = [
        nodes[pod["spec"]["nodeName"]]["metadata"]["labels"]["nvidia.com/gpu.product"]
        for pod in pods(site)
    ]
    assert products == ["NVIDIA-L4"] * 3


def test_every_model_pod_has_a_proxy_that_starts_first_and_stops_last(site: Site) -> None:
    for pod in pods(site):
        assert list(init_containers(pod)) == ["istio-init", "istio-proxy"]
        assert init_containers(pod)["istio-proxy"]["restartPolicy"] == "Always"
        assert [container["name"] for container in pod["spec"]["containers"]] == ["model"]


def test_the_proxy_keeps_health_checks_and_metrics_reachable_under_strict_mtls(site: Site) -> None:
    for pod in pods(site):
        annotations = pod["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == "15020"
        assert annotations["prometheus.io/path"] == "/stats/prometheus"
        (model,) = pod["spec"]["containers"]
        assert model["readinessProbe"]["httpGet"]["path"].startswith("/app-health/")


@pytest.mark.parametrize(("name", "replicas"), [(NAME, 2), (f"{NAME}-canary", 1)])
def test_every_version_is_available(site: Site, name: str, replicas: int) -> None:
    status = site.get("deployment", name, NAMESPACE)["status"]
    assert status["availableReplicas"] == replicas


def test_the_autoscaler_is_heard_by_the_deployment(site: Site) -> None:
    scaler = site.get("hpa", NAME, NAMESPACE)
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 10)
    assert site.get("deployment", NAME, NAMESPACE)["spec"]["replicas"] == 2


def test_the_service_reaches_the_pods_of_all_versions(site: Site) -> None:
    slices = site.get(
        "endpointslices", NAMESPACE, "--selector=kubernetes.io/service-name=deepseek-r1-1-5b-svc"
    )["items"]
    addresses = [name for item in slices for end in item["endpoints"] for name in end["addresses"]]
    assert sorted(addresses) == sorted(pod["status"]["podIP"] for pod in pods(site))


def test_the_budget_covers_the_pods_of_all_versions(site: Site) -> None:
    budget = site.get("poddisruptionbudget", NAME, NAMESPACE)
    assert budget["status"]["expectedPods"] == 3
    assert budget["status"]["disruptionsAllowed"] == 1


def test_the_gateway_has_an_address_and_the_pods_that_its_listeners_select(site: Site) -> None:
    service = site.get("services", "istio-ingress", GATEWAY_NAMESPACE)
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"]
    listeners = site.get("gateways.networking.istio.io", "inference", GATEWAY_NAMESPACE)
    selector = listeners["spec"]["selector"]
    for pod in pods(site, *GATEWAY):
        assert selector.items() <= pod["metadata"]["labels"].items()


def test_the_gateways_identity_is_the_one_that_is_let_in(site: Site) -> None:
    policy = site.get(
        "authorizationpolicies.security.istio.io", "deepseek-r1-1-5b-callers", NAMESPACE
    )
    (identity,) = policy["spec"]["rules"][0]["from"][0]["source"]["principals"]
    for pod in pods(site, *GATEWAY):
        account = pod["spec"]["serviceAccountName"]
        assert identity == f"cluster.local/ns/istio-ingress/sa/{account}"


def test_the_proxys_image_is_given_to_the_gateway_by_the_injector(site: Site) -> None:
    for pod in pods(site, *GATEWAY):
        assert pod["spec"]["containers"][0]["image"] == "docker.io/istio/proxyv2:1.31.1"


def test_the_namespace_enforces_what_redirection_by_an_init_container_needs(site: Site) -> None:
    assert enforced(site, "ai-inference") == "privileged"
    assert enforced(site, "istio-ingress") == "baseline"


def test_a_second_deployment_changes_nothing(site: Site) -> None:
    site.said.clear()
    site.up()
    assert site.said[-1].startswith("0 to create, 0 to update, 0 to delete, ")


@pytest.fixture
def node_agent(site: Site) -> Iterator[None]:
    """The stack with Istio's node agent, for one test."""
    site.up(mesh={"kind": "istio", "cni": True})
    yield
    site.up()


def test_with_a_node_agent_models_run_in_a_restricted_namespace(
    site: Site, node_agent: None
) -> None:
    assert enforced(site, "ai-inference") == "restricted"
    old = {pod["metadata"]["uid"] for pod in pods(site)}
    site.cluster.check(site.cluster.run_kubectl("delete", "pods", "--all", "--wait", NAMESPACE))
    deadline = time.monotonic() + 60
    while len([pod for pod in pods(site) if _is_ready(pod)]) < 3:
        assert time.monotonic() < deadline, site.get("events", NAMESPACE)
        time.sleep(0.5)
    for pod in pods(site):
        assert pod["metadata"]["uid"] not in old
        assert list(init_containers(pod)) == ["istio-validation", "istio-proxy"]


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return {"Ready": "True"}.items() <= {c["type"]: c["status"] for c in conditions}.items()
