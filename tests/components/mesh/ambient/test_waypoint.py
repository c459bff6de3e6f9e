from __future__ import annotations

import json
from typing import Any

from components.kubernetes import Manifest
from components.mesh.ambient.waypoint import principal, waypoint
from components.mesh.istio.settings import IstioSettings
from tests.components.samples import ambient


def made(**settings: Any) -> tuple[dict[str, Any], Manifest]:
    """What is changed in the objects that istiod makes, and the waypoint itself."""
    parameters, gateway = waypoint(ambient(**settings).settings, "ai-inference", 600)
    return {kind: json.loads(text) for kind, text in parameters["data"].items()}, gateway


def container(**settings: Any) -> dict[str, Any]:
    changes, _ = made(**settings)
    (only,) = changes["deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_default_configuration_is_a_waypoint_for_services_and_pods() -> None:
    _, gateway = made()
    assert gateway["spec"]["gatewayClassName"] == "istio-waypoint"
    assert gateway["metadata"]["labels"] == {"istio.io/waypoint-for": "all"}
    assert gateway["spec"]["listeners"] == [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]


def test_namespaces_name_the_waypoint_by_its_own_name() -> None:
    _, gateway = made()
    labels = ambient().namespace_metadata("strict").labels
    assert labels["istio.io/use-waypoint"] == gateway["metadata"]["name"]


def test_a_waypoint_stops_no_sooner_than_the_models_behind_it() -> None:
    changes, _ = made()
    pod = changes["deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 600


def test_a_waypoint_has_the_size_that_is_asked_for() -> None:
    assert container()["resources"]["requests"] == {"cpu": "250m", "memory": "512Mi"}
    large = container(waypoint={"cpu": "2", "memory": "4Gi", "max_replicas": 20})
    assert large["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi"},
        "limits": {"memory": "4Gi"},
    }


def test_two_waypoint_pods_up_to_what_is_asked_for() -> None:
    changes, _ = made(waypoint={"max_replicas": 20})
    scaling = changes["horizontalPodAutoscaler"]["spec"]
    assert (scaling["minReplicas"], scaling["maxReplicas"]) == (2, 20)
    assert "horizontalPodAutoscaler" not in made(high_availability=False)[0]


def test_the_identity_of_a_waypoint_has_its_namespace_and_name() -> None:
    settings = IstioSettings(kind="istio", data_plane="ambient", trust_domain="mesh.example.com")
    assert principal(settings, "llm") == "mesh.example.com/ns/llm/sa/waypoint"
