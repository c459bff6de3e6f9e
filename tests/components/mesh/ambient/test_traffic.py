from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from components.mesh.istio.destination import traffic_policy
from tests.components.samples import ambient, model

PUBLIC = "llm.example.com"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
SERVICE = "deepseek-r1-1-5b"


def objects(gateway_host: str | None = PUBLIC, **settings: Any) -> dict[str, Manifest]:
    made = ambient().route(model(**settings), gateway_host)
    return {f"{each['kind']} {each['metadata']['name']}": each["spec"] for each in made}


def rules(name: str = SERVICE, **settings: Any) -> list[dict[str, Any]]:
    return list(objects(**settings)[f"HTTPRoute {name}"]["rules"])


def weights(rule: dict[str, Any]) -> dict[str, int]:
    return {backend["name"]: backend.get("weight", 100) for backend in rule["backendRefs"]}


def test_default_configuration_has_a_service_a_version_and_a_route_a_way_in() -> None:
    assert list(objects()) == [
        f"Service {SERVICE}-stable",
        f"Service {SERVICE}-canary",
        f"DestinationRule {SERVICE}-stable",
        f"DestinationRule {SERVICE}-canary",
        f"HTTPRoute {SERVICE}",
        f"HTTPRoute {SERVICE}-gateway",
    ]


def test_no_route_at_the_gateway_without_one_or_for_a_model_kept_inside() -> None:
    assert f"HTTPRoute {SERVICE}-gateway" not in objects(gateway_host=None)
    assert f"HTTPRoute {SERVICE}-gateway" not in objects(route=None)


def test_weights_apply_at_the_waypoint_for_every_caller_alike() -> None:
    (inside,) = rules(canary=CANARY)
    assert weights(inside) == {f"{SERVICE}-stable": 90, f"{SERVICE}-canary": 10}
    (outside,) = rules(f"{SERVICE}-gateway", canary=CANARY)
    assert weights(outside) == {SERVICE: 100}


def test_without_a_waypoint_the_gateway_chooses_the_version_itself() -> None:
    (outside,) = rules(f"{SERVICE}-gateway", canary=CANARY, adoption="unmeshed")
    assert weights(outside) == {f"{SERVICE}-stable": 90, f"{SERVICE}-canary": 10}


def test_a_stream_is_not_cut_by_a_timeout() -> None:
    for name in (SERVICE, f"{SERVICE}-gateway"):
        (rule,) = rules(name)
        assert "timeouts" not in rule


def test_a_timeout_for_the_response_is_the_waypoints() -> None:
    traffic = {"timeouts": {"response": "30s"}}
    assert rules(traffic=traffic)[0]["timeouts"] == {"request": "30s"}
    assert "timeouts" not in rules(f"{SERVICE}-gateway", traffic=traffic)[0]


def test_without_a_waypoint_a_timeout_for_the_response_is_the_gateways() -> None:
    traffic = {"timeouts": {"response": "30s"}}
    (rule,) = rules(f"{SERVICE}-gateway", traffic=traffic, adoption="unmeshed")
    assert rule["timeouts"] == {"request": "30s"}


def test_connections_to_each_version_behave_as_with_sidecars() -> None:
    traffic = {"connectionPool": {"maxConnections": 100}, "timeouts": {"connect": "2s"}}
    expected = traffic_policy(model(traffic=traffic).settings.traffic)
    for version in ("stable", "canary"):
        spec = objects(traffic=traffic)[f"DestinationRule {SERVICE}-{version}"]
        assert spec["host"] == f"{SERVICE}-{version}.ai-inference.svc.cluster.local"
        assert spec["trafficPolicy"] == expected


def test_a_model_has_a_host_of_its_own_where_it_says_so() -> None:
    own = objects(route={"host": "chat.example.com"})[f"HTTPRoute {SERVICE}-gateway"]
    assert own["hostnames"] == ["chat.example.com"]
    assert objects()[f"HTTPRoute {SERVICE}-gateway"]["hostnames"] == [PUBLIC]
