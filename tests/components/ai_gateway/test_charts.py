from __future__ import annotations

from typing import Any

from components.ai_gateway import redis
from components.ai_gateway.charts import charts
from components.ai_gateway.names import NAMESPACE
from components.ai_gateway.settings import AiGatewaySettings


def values(chart: str, **settings: Any) -> dict[str, Any]:
    made = {each.name: each for each in charts(AiGatewaySettings.model_validate(settings))}
    return made[chart].values


def test_the_charts_come_in_order_at_their_projects_versions() -> None:
    made = charts(AiGatewaySettings(version="1.0.1", envoy_gateway="1.9.2"))
    assert [(chart.name, chart.version) for chart in made] == [
        ("gateway-helm", "v1.9.2"),
        ("ai-gateway-crds-helm", "v1.0.1"),
        ("ai-gateway-helm", "v1.0.1"),
    ]
    assert {chart.namespace for chart in made} == {NAMESPACE}


def test_envoy_gateway_counts_in_the_redis_beside_it() -> None:
    service, port = f"{redis.NAME}.{NAMESPACE}.svc.cluster.local", redis.PORT
    config = values("gateway-helm")["config"]["envoyGateway"]
    assert config["rateLimit"]["backend"] == {
        "type": "Redis",
        "redis": {"url": f"{service}:{port}"},
    }


def test_envoy_gateway_leaves_the_gateway_api_to_its_owner() -> None:
    crds = values("gateway-helm")["crds"]
    assert crds == {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}}


def test_values_of_the_user_win() -> None:
    own = {"envoyGateway": {"deployment": {"replicas": 2}}, "aiGateway": {"envoyGateway": {"x": 1}}}
    assert values("gateway-helm", values=own)["deployment"] == {"replicas": 2}
    merged = values("ai-gateway-helm", values=own)["envoyGateway"]
    assert merged == {"namespace": NAMESPACE, "x": 1}


def test_redis_keeps_nothing_and_may_do_nothing() -> None:
    policy, service, deployment = redis.objects("redis:8")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "redis:8"
    assert container["args"][container["args"].index("--save") + 1] == ""
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    selected = (policy["spec"]["podSelector"]["matchLabels"], service["spec"]["selector"])
    for selector in (*selected, deployment["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= pod["metadata"]["labels"].items()
