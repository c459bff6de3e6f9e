"""Any valid stack is accepted by the real API server and by the webhook of the real istiod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ai_gateway.names import NAMESPACE
from components.mesh.istio.endpoint_picker import definitions
from tests.components.ai_gateway import rendered as ai_gateway
from tests.components.samples import istio
from tests.stacks import strategies
from tests.stacks.conftest import Site
from tests.stacks.objects import Objects, objects, of_kind, platform
from tests.stacks.strategies import ANY_STACK

pytestmark = pytest.mark.cluster

SECURITY = "pod-security.kubernetes.io/enforce"
PODS = {
    "any-pods": {SECURITY: "privileged", "istio-injection": "enabled"},
    "restricted-pods": {SECURITY: "restricted"},
}
"""Namespaces that pods are tried in: meshed, and as their templates are."""


@pytest.fixture(scope="module")
def ready(site: Site) -> Site:
    """The site with the namespaces of all examples, and the kinds of an endpoint picker and of the
    AI gateway."""
    wanted: dict[str, dict[str, str]] = {
        name: {"istio-injection": "enabled"} for name in strategies.NAMESPACES
    }
    wanted |= PODS | {NAMESPACE: {}}
    of_ai_gateway = ai_gateway.definitions(ai_gateway.rendered(site.simulated))
    site.cluster.apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            for name, labels in wanted.items()
        ]
        + [*definitions(istio().settings), *of_ai_gateway]
    )
    established = ("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    site.cluster.check(site.cluster.run_kubectl(*established))
    return site


@pytest.fixture(scope="module")
def ready_ambient(ambient: Site) -> Site:
    """The same in ambient mode."""
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in strategies.NAMESPACES
    ]
    ambient.cluster.apply(namespaces)
    return ambient


def pods(found: Objects) -> Iterator[dict[str, Any]]:
    """A pod of every Deployment, without the ServiceAccount that only a real one has."""
    for item in of_kind(found, "Deployment"):
        template = item["spec"]["template"]
        has_host_path = any("hostPath" in volume for volume in template["spec"].get("volumes", []))
        for namespace in PODS:
            if has_host_path and namespace == "restricted-pods":
                continue
            yield {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": template["metadata"]
                | {"name": item["metadata"]["name"], "namespace": namespace},
                "spec": template["spec"] | {"serviceAccountName": "default"},
            }


@ANY_STACK
@given(st.data())
def test_what_validation_accepts_the_cluster_accepts(
    ready: Site, pem: str, data: st.DataObject
) -> None:
    found = objects(platform(data.draw(strategies.stacks(pem, strategies.mesh))))
    ready.cluster.apply([*found.values(), *pods(found)], dry_run=True)


@ANY_STACK
@given(st.data())
def test_so_does_a_cluster_in_ambient_mode(
    ready_ambient: Site, pem: str, data: st.DataObject
) -> None:
    found = objects(platform(data.draw(strategies.stacks(pem, strategies.ambient))))
    ready_ambient.cluster.apply(list(found.values()), dry_run=True)
