from __future__ import annotations

import pulumi
import pytest
from pulumi_kubernetes.apps.v1 import Deployment

from components.kubernetes import KubernetesObject, manifest, recommended_labels
from tests.components.recording import deployed


def test_a_manifest_has_a_fixed_name_and_no_empty_fields() -> None:
    assert manifest("v1", "Namespace", "a", labels={}, annotations={}) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "a"},
    }


def test_labels_are_those_that_kubernetes_recommends() -> None:
    assert recommended_labels("m", "model-server") == {
        "app.kubernetes.io/name": "m",
        "app.kubernetes.io/instance": "m",
        "app.kubernetes.io/component": "model-server",
        "app.kubernetes.io/part-of": "inference-mesh",
        "app.kubernetes.io/managed-by": "inference-mesh",
    }


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        (
            "networking.istio.io/v1",
            "VirtualService",
            "kubernetes:networking.istio.io/v1:VirtualService",
        ),
    ],
)
def test_objects_have_the_providers_own_type_tokens(
    api_version: str, kind: str, token: str
) -> None:
    item = manifest(api_version, kind, "x", "default")
    assert deployed(lambda: KubernetesObject(item)).one(kind).type == token


def test_an_object_registers_as_the_typed_class_does() -> None:
    item = manifest("apps/v1", "Deployment", "x", "default", spec={"replicas": 2})

    def typed() -> None:
        Deployment("x", metadata=item["metadata"], spec=item["spec"])

    ours = deployed(lambda: KubernetesObject(item)).one("Deployment")
    theirs = deployed(typed).one("Deployment")
    assert (ours.type, ours.inputs) == (theirs.type, theirs.inputs)


def test_a_resource_is_named_by_its_identity_in_the_cluster() -> None:
    def program() -> None:
        KubernetesObject(manifest("v1", "Namespace", "a"))
        KubernetesObject(manifest("v1", "ConfigMap", "b", "a"))

    assert {item.name for item in deployed(program).resources} == {"a", "a/b"}


def test_options_are_kept() -> None:
    def program() -> None:
        first = KubernetesObject(manifest("v1", "Namespace", "a"))
        options = pulumi.ResourceOptions(depends_on=[first])
        KubernetesObject(manifest("v1", "ConfigMap", "b", "a"), options)

    result = deployed(program)
    assert result.follows(result.one("ConfigMap"), result.one("Namespace"))
