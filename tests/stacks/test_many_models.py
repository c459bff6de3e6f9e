"""The example of many models behind one host: what the program declares for it."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.stacks.files import ROOT, by_kind_and_name, recorded

EXAMPLE = ROOT / "examples" / "many-models-istio.yaml"
HOST = "llm.example.com"


@cache
def objects() -> dict[tuple[str, str], dict[str, Any]]:
    return by_kind_and_name(recorded(EXAMPLE))


def at_gateway(service: str) -> dict[str, Any]:
    return dict(objects()["VirtualService", f"{service}-gateway"]["spec"])


def test_two_models_share_a_host_by_their_names() -> None:
    for service, name in (
        ("deepseek-r1-1-5b", "deepseek-r1-1.5b"),
        ("hy-mt1-5-1-8b", "hy-mt1.5-1.8b"),
    ):
        routing = at_gateway(service)
        assert routing["hosts"] == [HOST]
        (route,) = routing["http"]
        assert route["match"] == [{"headers": {"x-gateway-model-name": {"exact": name}}}]


def test_the_name_is_the_one_under_which_the_server_answers() -> None:
    for name in ("deepseek-r1-1.5b", "hy-mt1.5-1.8b"):
        pod = objects()["Deployment", name]["spec"]["template"]["spec"]
        arguments = pod["containers"][0]["args"]
        assert f"--served-model-name={name}" in arguments


def test_the_router_and_the_404_are_for_that_host_alone() -> None:
    assert objects()["VirtualService", "not-found"]["spec"]["hosts"] == [HOST]
    patches = objects()["EnvoyFilter", "body-based-router"]["spec"]["configPatches"]
    hosts = [
        patch["match"]["routeConfiguration"]["vhost"]["name"]
        for patch in patches
        if patch["applyTo"] == "VIRTUAL_HOST"
    ]
    assert hosts == [f"{HOST}:443"]
    assert ("Release", "body-based-router") in objects()


def test_a_model_has_a_host_of_its_own() -> None:
    routing = at_gateway("chat")
    assert routing["hosts"] == ["chat.example.com"]
    assert "match" not in routing["http"][0]


def test_sessions_stay_with_their_pod() -> None:
    policy = objects()["DestinationRule", "hy-mt1-5-1-8b"]["spec"]["trafficPolicy"]
    assert policy["loadBalancer"]["consistentHash"]["httpHeaderName"] == "x-session-id"
