"""Every manifest of the Linkerd mesh against the real definitions, on the real API server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.adoption import Adoption
from components.kubernetes import Manifest
from components.mesh import gateway_api
from components.mesh.linkerd import Linkerd
from components.mesh.protocol import Ingress
from gitops.cluster import Cluster, RefusedError
from simcluster.cluster import SimulatedCluster
from tests.components.mesh.linkerd.pem import ANCHOR, provided
from tests.components.samples import CUSTOM, linkerd, model

pytestmark = pytest.mark.cluster

CRDS = Path(__file__).parents[3] / "crds"
ENVOY_GATEWAY = "gateway-helm/charts/crds/crds/generated"
"""Its definitions in the folder of charts."""
NAMESPACES = ("ai-inference", "linkerd-viz", "envoy-gateway-system", "inference-gateway", "linkerd")
FAULT = {"percent": 10, "abort": 503, "headers": {"x-chaos": "yes"}}
CALLERS = [
    "frontend",
    {"namespace": "processing", "methods": ["POST", "GET"], "paths": ["/v1/completions", "/x/*"]},
]
CANARY = {
    "image": "vllm/vllm-openai:v0.32.1",
    "weight": 10,
    "headers": {"x-model-version": "canary"},
    "sticky": True,
}
MODELS: tuple[dict[str, Any], ...] = (
    {},
    {"callers": CALLERS, "canary": CANARY, "route": {"prefix": "/chat"}},
    {"traffic": {"rateLimit": {"requests": 5, "per": "second", "by": "identity"}}},
    {"runtime": CUSTOM, "traffic": {"fault": FAULT, "timeouts": {"response": "30s"}}},
)
OTHER = {"kind": "class", "name": "nginx", "principal": "cluster.local/ns/nginx/sa/nginx"}


def definitions(charts: Path) -> list[Manifest]:
    """Linkerd's, the Gateway API's and Envoy Gateway's."""
    files = [CRDS / "linkerd.yaml", *sorted((charts / ENVOY_GATEWAY).glob("*.yaml"))]
    found = (item for file in files for item in yaml.safe_load_all(file.read_text()) if item)
    return [*gateway_api.definitions(), *found]


@pytest.fixture(scope="module")
def ready(cluster: SimulatedCluster) -> Cluster:
    """A cluster that knows the kinds, and has the namespaces."""
    tools = cluster.tools
    found = Cluster(cluster.kubeconfig, str(tools / "kubectl"), str(tools / "helm"))
    found.apply(definitions(cluster.charts))
    answer = found.run_kubectl("wait", "crd", "--all", "--for=condition=Established")
    found.check(answer)
    found.apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in NAMESPACES
        ]
    )
    return found


def of_models() -> Iterator[Manifest]:
    adoptions: tuple[Adoption, ...] = ("unmeshed", "permissive", "strict")
    for adoption in adoptions:
        for settings in MODELS:
            asked = replace(model(**settings), adoption=adoption)
            yield from linkerd().authorize(asked, True)
            yield from linkerd().route(asked, "llm.example.com")


def of_the_mesh() -> Iterator[Manifest]:
    hosts = ("llm.example.com",)
    ingress = Ingress(hosts, "certificate", 300, {"example.com/type": "nlb"}, open_hosts=hosts)
    trust = {"kind": "bundle", "anchors": ANCHOR.certificate}
    bundle = {"source": "cert-manager", "trust": trust}
    readers = ["cluster.local/ns/keda/sa/keda-operator"]
    traced = Linkerd(linkerd().settings, "http://otel-collector.observability:4317")
    for mesh in (
        traced,
        linkerd(viz={"readers": readers}),
        linkerd(identity=bundle, high_availability=False),
        linkerd(identity=provided()),
        linkerd(gateway=OTHER),
    ):
        yield from (part for part in mesh.install() if isinstance(part, dict))
        yield from mesh.expose(ingress)


def each(manifests: Iterator[Manifest]) -> list[Manifest]:
    """One of each, where several settings make the same."""
    seen: list[Manifest] = []
    seen += (item for item in manifests if item not in seen)
    return seen


@pytest.mark.parametrize("made", [of_models, of_the_mesh])
def test_every_field_of_every_manifest_is_known(ready: Cluster, made: Any) -> None:
    ready.apply(each(made()), dry_run=True)


def test_a_field_that_is_not_known_is_refused(ready: Cluster) -> None:
    server, *_ = linkerd().authorize(model(), True)
    broken = server | {"spec": server["spec"] | {"accessPolicies": "deny"}}
    with pytest.raises(RefusedError, match="accessPolicies"):
        ready.apply([broken], dry_run=True)
