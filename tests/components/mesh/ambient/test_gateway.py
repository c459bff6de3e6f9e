from __future__ import annotations

import json
from typing import Any

from components.mesh.protocol import Ingress
from tests.components.samples import ambient

INGRESS = Ingress(("llm.example.com",), "inference-tls", 180)


def changes(ingress: Ingress = INGRESS, **settings: Any) -> dict[str, Any]:
    """What is changed in the objects that istiod makes."""
    (parameters,) = ambient(**settings).gateway(ingress)
    return {kind: json.loads(text) for kind, text in parameters["data"].items()}


def pod(**settings: Any) -> dict[str, Any]:
    return dict(changes(**settings)["deployment"]["spec"]["template"]["spec"])


def test_default_configuration_is_a_gateway_of_istios_class_with_a_redirect() -> None:
    gateway, redirect = ambient().expose(INGRESS)
    assert gateway["spec"]["gatewayClassName"] == "istio"
    assert gateway["metadata"]["namespace"] == ambient().gateway_namespace
    assert [each["port"] for each in gateway["spec"]["listeners"]] == [80, 443]
    assert redirect["kind"] == "HTTPRoute"


def test_the_gateway_names_the_changes_to_its_pods() -> None:
    (parameters,) = ambient().gateway(INGRESS)
    gateway, _ = ambient().expose(INGRESS)
    reference = gateway["spec"]["infrastructure"]["parametersRef"]
    assert reference == {
        "group": "",
        "kind": parameters["kind"],
        "name": parameters["metadata"]["name"],
    }
    assert parameters["metadata"]["namespace"] == gateway["metadata"]["namespace"]


def test_a_gateway_pod_that_stops_serves_its_streams_to_their_end() -> None:
    stopping = pod()
    assert stopping["terminationGracePeriodSeconds"] == 180
    (container,) = stopping["containers"]
    assert {"name": "EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "value": "true"} in container["env"]


def test_two_gateway_pods_or_more_on_nodes_of_their_own() -> None:
    made = changes()
    assert made["horizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    assert made["podDisruptionBudget"] == {"spec": {"maxUnavailable": 1}}
    (spread,) = pod()["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == {
        "gateway.networking.k8s.io/gateway-name": "inference"
    }


def test_without_high_availability_istiod_makes_one_pod_and_no_autoscaler() -> None:
    assert set(changes(high_availability=False)) == {"deployment"}


def test_annotations_are_those_of_the_service_alone() -> None:
    annotated = Ingress(("llm.example.com",), "inference-tls", 180, {"cloud/lb": "internal"})
    assert changes(annotated)["service"] == {"metadata": {"annotations": {"cloud/lb": "internal"}}}


def test_a_revision_says_which_istiod_the_gateway_belongs_to() -> None:
    gateway, _ = ambient(revision="v1-31-1").expose(INGRESS)
    assert gateway["metadata"]["labels"] == {"istio.io/rev": "v1-31-1"}
    assert "labels" not in ambient().expose(INGRESS)[0]["metadata"]


def test_pulumi_waits_until_the_gateway_is_programmed() -> None:
    gateway, _ = ambient().expose(INGRESS)
    assert gateway["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Programmed"}
