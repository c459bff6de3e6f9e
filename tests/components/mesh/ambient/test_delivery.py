from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.kubernetes import Manifest
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import Deliverer
from components.model.settings import ModelSettings
from tests.components.samples import NAME, ambient, model, model_settings

SERVICE = "deepseek-r1-1-5b"
MIRROR = {"model": "staging", "percent": 100, "sideEffects": "none"}


def made(kind: str, **settings: Any) -> dict[str, Manifest]:
    """The specs of a kind by name."""
    wanted = model(**{"progressive": {}, **settings})
    routes = ambient().route(wanted, "llm.example.com")
    return {each["metadata"]["name"]: each["spec"] for each in routes if each["kind"] == kind}


def refused(mirrored: int, mode: str = "ambient") -> dict[str, str]:
    mesh = IstioSettings.model_validate({"kind": "istio", "dataPlane": mode})
    given = {"progressive": {}, "traffic": {"mirror": MIRROR | {"percent": mirrored}}}
    loaded = ModelSettings.model_validate(model_settings(**given))
    return {".".join(path): message for path, message in mesh.model_problems(loaded)}


def test_flagger_makes_the_route_of_the_models_service() -> None:
    delivery = ambient().deliver(model(progressive={}))
    assert delivery.provider == "gatewayapi:v1"
    parent = {"group": "", "kind": "Service", "name": SERVICE}
    assert delivery.service == {"gatewayRefs": [parent]}
    assert list(made("HTTPRoute")) == [f"{SERVICE}-gateway"]


def test_the_gateway_leaves_the_weights_to_the_waypoint() -> None:
    (rule,) = made("HTTPRoute")[f"{SERVICE}-gateway"]["rules"]
    assert [backend["name"] for backend in rule["backendRefs"]] == [SERVICE]


def test_a_timeout_and_a_mirror_are_said_to_flagger() -> None:
    wanted = model(progressive={}, traffic={"timeouts": {"response": "30s"}, "mirror": MIRROR})
    target = model("staging", namespace="llm-staging")
    service = ambient().deliver(replace(wanted, mirror=target)).service
    assert service["timeout"] == "30s"
    (mirror,) = service["mirror"]
    assert mirror["backendRef"]["name"] == "staging-stable"
    assert mirror["backendRef"]["namespace"] == "llm-staging"


def test_a_share_of_a_mirror_that_flagger_would_not_copy_is_refused() -> None:
    assert refused(100) == {}
    assert refused(99, "sidecar") == {}
    assert "all requests or none" in refused(99)["traffic.mirror.percent"]


def test_success_is_that_of_the_new_versions_requests_as_the_waypoint_counts_them() -> None:
    query = ambient().deliver(model(progressive={})).success_rate
    where = (
        'reporter="waypoint",destination_workload_namespace="ai-inference",'
        f'destination_workload="{NAME}"'
    )
    good = f'sum(rate(istio_requests_total{{{where},response_code!~"5.*"}}[{{{{ interval }}}}]))'
    assert query == f"100 * {good} / sum(rate(istio_requests_total{{{where}}}[{{{{ interval }}}}]))"


def test_connections_to_flaggers_services_behave_as_to_those_of_the_versions() -> None:
    rules = made("DestinationRule", traffic={"timeouts": {"connect": "7s"}})
    released = (SERVICE, f"{SERVICE}-release-primary", f"{SERVICE}-release-canary")
    for name in (f"{SERVICE}-stable", *released):
        assert rules[name]["host"] == f"{name}.ai-inference.svc.cluster.local"
        assert rules[name]["trafficPolicy"]["connectionPool"]["tcp"]["connectTimeout"] == "7s"


def test_flagger_needs_nothing_to_read_metrics() -> None:
    assert ambient().deliverer() == Deliverer()
