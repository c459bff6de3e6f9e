"""The charts of the folder, installed for real, and what istiod makes in its ambient profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simcluster.cluster import SimulatedCluster
from tests.simcluster.kubectl import Kubectl

pytestmark = pytest.mark.cluster

NAMESPACE = "meshed"
GATEWAY_API = "gateway-helm/charts/crds/crds/gatewayapi-crds.yaml"
"""The Gateway API's definitions as Envoy Gateway's chart brings them."""

OBJECTS = """
apiVersion: v1
kind: Namespace
metadata:
  name: meshed
  labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: waypoint}
---
apiVersion: v1
kind: Service
metadata: {name: chat, namespace: meshed}
spec: {selector: {app: chat}, ports: [{name: http, port: 8000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: meshed, labels: {istio.io/waypoint-for: all}}
spec:
  gatewayClassName: istio-waypoint
  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: meshed}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat, namespace: meshed}
spec:
  parentRefs: [{group: "", kind: Service, name: chat}]
  rules: [{backendRefs: [{name: chat, port: 8000}]}]
"""


@pytest.fixture(scope="module")
def ambient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    cluster = SimulatedCluster(tmp_path_factory.mktemp("ambient") / ".sim")
    try:
        cluster.start()
        kubectl = Kubectl(cluster)
        kubectl("apply", "--server-side", "-f", str(cluster.charts / GATEWAY_API))
        kubectl.helm("istio-base", "base", "istio-system")
        kubectl.helm("istiod", "istiod", "istio-system", "--set=profile=ambient")
        kubectl.helm("cni", "cni", "istio-system", "--set=profile=ambient")
        kubectl.helm("ztunnel", "ztunnel", "istio-system")
        kubectl("apply", "-f-", stdin=OBJECTS)
        yield kubectl
    finally:
        cluster.stop()


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {entry["type"]: entry["status"] for entry in status["conditions"]}


def test_the_proxies_of_the_nodes_run_on_every_node(ambient: Kubectl) -> None:
    nodes = len(ambient.read("nodes")["items"])
    for name in ("istio-cni-node", "ztunnel"):
        status = ambient.read("daemonset", name, "-n", "istio-system")["status"]
        assert status["numberReady"] == status["desiredNumberScheduled"] == nodes


def test_istiod_makes_a_waypoint_and_a_gateway(ambient: Kubectl) -> None:
    ambient(
        "wait", "--for=condition=Programmed", "gateway", "--all", "-n", NAMESPACE, "--timeout=30s"
    )
    for deployment in ("waypoint", "front-istio"):
        ambient("rollout", "status", f"deployment/{deployment}", "-n", NAMESPACE, "--timeout=30s")
    front = ambient.read("gateway", "front", "-n", NAMESPACE)["status"]["addresses"]
    assert front[0]["value"].startswith("198.18.")


def test_a_route_of_the_mesh_is_accepted_and_finds_its_waypoint(ambient: Kubectl) -> None:
    def accepted() -> bool:
        status = ambient.read("httproute", "chat", "-n", NAMESPACE).get("status", {})
        return [conditions(parent) for parent in status.get("parents", [])] == [
            {"Accepted": "True", "ResolvedRefs": "True", "ResolvedWaypoints": "True"}
        ]

    ambient.eventually(accepted)
    service = ambient.read("service", "chat", "-n", NAMESPACE)["status"]
    assert conditions(service)["istio.io/WaypointBound"] == "True"


def test_flaggers_chart_brings_its_kinds(ambient: Kubectl) -> None:
    ambient.helm("flagger", "flagger", "flagger-system")
    for kind in ("canaries.flagger.app", "metrictemplates.flagger.app"):
        ambient("get", kind)


def test_envoy_gateways_chart_installs(ambient: Kubectl) -> None:
    ambient.helm("envoy-gateway", "gateway-helm", "envoy-gateway-system")
    ambient("get", "envoyproxies.gateway.envoyproxy.io")
