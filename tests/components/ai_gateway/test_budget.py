from __future__ import annotations

from typing import Any

import pytest

from components.ai_gateway import budget, gateway
from components.kubernetes import Manifest
from components.mesh.protocol import Metadata
from tests.components.samples import model

BUDGET = {"tokens": 100_000, "per": "day", "header": "x-user-id"}


def made(**traffic: Any) -> dict[str, Manifest]:
    asked = model(traffic={"tokenBudget": BUDGET, **traffic})
    return {item["kind"]: item for item in budget.objects(asked)}


def test_a_model_without_a_budget_has_nothing_at_the_ai_gateway() -> None:
    assert budget.objects(model()) == ()


def test_the_budget_is_for_each_caller_and_one_for_all_without_the_header() -> None:
    rules = made()["BackendTrafficPolicy"]["spec"]["rateLimit"]["global"]["rules"]
    each, missing = (rule["clientSelectors"][0]["headers"][0] for rule in rules)
    assert each == {"name": "x-user-id", "type": "Distinct"}
    assert (missing["name"], missing["value"], missing["invert"]) == ("x-user-id", ".*", True)
    for rule in rules:
        assert rule["limit"] == {"requests": 100_000, "unit": "Day"}


def test_a_request_costs_nothing_and_its_answer_what_it_used() -> None:
    objects = made()
    (cost,) = objects["AIGatewayRoute"]["spec"]["llmRequestCosts"]
    assert cost["type"] == "TotalToken"
    for rule in objects["BackendTrafficPolicy"]["spec"]["rateLimit"]["global"]["rules"]:
        assert rule["cost"]["request"]["number"] == 0
        assert rule["cost"]["response"]["metadata"]["key"] == cost["metadataKey"]


def test_the_parts_of_a_model_name_one_another() -> None:
    objects, asked = made(), model()
    backend = objects["AIServiceBackend"]["spec"]["backendRef"]
    assert backend["name"] == objects["Backend"]["metadata"]["name"]
    route = objects["AIGatewayRoute"]
    (rule,) = route["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": objects["AIServiceBackend"]["metadata"]["name"]}]
    (target,) = objects["BackendTrafficPolicy"]["spec"]["targetRefs"]
    assert (target["kind"], target["name"]) == ("HTTPRoute", route["metadata"]["name"])
    (endpoint,) = objects["Backend"]["spec"]["endpoints"]
    assert endpoint["fqdn"] == {"hostname": asked.service_host, "port": asked.port}


@pytest.mark.parametrize(("given", "expected"), [({}, "0s"), ({"response": "100s"}, "100s")])
def test_a_long_answer_is_not_cut_by_the_ai_gateways_own_minute(
    given: dict[str, str], expected: str
) -> None:
    (rule,) = made(timeouts=given)["AIGatewayRoute"]["spec"]["rules"]
    assert rule["timeouts"] == {"request": expected}


def test_the_proxies_carry_what_the_mesh_says_and_drain() -> None:
    meshed = Metadata({"a": "b"}, {"c": "d"})
    objects = {item["kind"]: item["spec"] for item in gateway.objects(3, 99, meshed)}
    proxies = objects["EnvoyProxy"]
    assert proxies["shutdown"] == {"drainTimeout": "99s"}
    deployment = proxies["provider"]["kubernetes"]["envoyDeployment"]
    pod = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    assert deployment == {"replicas": 3, "pod": pod}
