"""The AI gateway's charts and manifests against the real ones, on the real API server."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.ai_gateway import budget, gateway, redis
from components.ai_gateway.names import NAMESPACE
from components.ai_gateway.settings import AiGatewaySettings
from components.kubernetes import Manifest
from components.mesh import gateway_api
from gitops.cluster import Cluster, RefusedError
from simcluster.cluster import SimulatedCluster
from tests.components.ai_gateway.rendered import definitions, rendered
from tests.components.samples import istio, model

pytestmark = pytest.mark.cluster

BUDGET = {"tokens": 4_294_967_295, "per": "minute", "header": "x-user-id"}


@pytest.fixture(scope="module")
def manifests(cluster: SimulatedCluster) -> dict[str, list[Manifest]]:
    return rendered(cluster)


@pytest.fixture(scope="module")
def ready(cluster: SimulatedCluster, manifests: dict[str, list[Manifest]]) -> Cluster:
    """A cluster that knows the kinds, and has the namespaces."""
    tools = cluster.tools
    found = Cluster(cluster.kubeconfig, str(tools / "kubectl"), str(tools / "helm"))
    found.apply([*gateway_api.definitions(), *definitions(manifests)])
    found.check(found.run_kubectl("wait", "crd", "--all", "--for=condition=Established"))
    found.apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in (NAMESPACE, "ai-inference")
        ]
    )
    return found


def of_one_model() -> list[Manifest]:
    return [
        *redis.objects(AiGatewaySettings().redis),
        *gateway.objects(2, 300, istio().meter().proxies),
        *budget.objects(model(traffic={"tokenBudget": BUDGET})),
    ]


def test_every_field_of_every_manifest_is_known(ready: Cluster) -> None:
    ready.apply(of_one_model(), dry_run=True)


@pytest.mark.parametrize("kind", ["EnvoyProxy", "BackendTrafficPolicy", "AIGatewayRoute"])
def test_a_field_that_is_not_known_is_refused(ready: Cluster, kind: str) -> None:
    (broken,) = (item for item in of_one_model() if item["kind"] == kind)
    with pytest.raises(RefusedError, match="sparkle"):
        ready.apply([broken | {"spec": broken["spec"] | {"sparkle": 1}}], dry_run=True)


def test_the_charts_take_the_values_that_they_are_given(
    manifests: dict[str, list[Manifest]],
) -> None:
    (config,) = (
        yaml.safe_load(item["data"]["envoy-gateway.yaml"])
        for item in manifests["gateway-helm"]
        if item["kind"] == "ConfigMap" and "envoy-gateway.yaml" in item.get("data", {})
    )
    services = {
        f"{item['metadata']['name']}.{item['metadata']['namespace']}.svc.cluster.local": [
            port["port"] for port in item["spec"]["ports"]
        ]
        for item in manifests["ai-gateway-helm"]
        if item["kind"] == "Service"
    }
    extension: dict[str, Any] = config["extensionManager"]["service"]["fqdn"]
    assert extension["port"] in services[extension["hostname"]]
    assert config["rateLimit"]["backend"]["type"] == "Redis"
    (controller,) = (
        item["spec"]["template"]["spec"]
        for item in manifests["ai-gateway-helm"]
        if item["kind"] == "Deployment"
    )
    (container,) = controller["containers"]
    assert f"--envoyGatewayNamespace={NAMESPACE}" in container["args"]
    assert container["securityContext"]["runAsNonRoot"]
