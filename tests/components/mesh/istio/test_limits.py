from __future__ import annotations

import json
from typing import Any

from components.kubernetes import Manifest
from components.model.model import Model
from tests.components.samples import CUSTOM, istio, model

PUBLIC = "llm.example.com"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}


def of_kind(kind: str, made: Model, host: str | None = PUBLIC) -> list[Manifest]:
    return [item for item in istio().route(made, host) if item["kind"] == kind]


def pool(made: Model) -> dict[str, Any]:
    (sidecar,) = of_kind("Sidecar", made)
    return dict(sidecar["spec"]["inboundConnectionPool"])


def refusal(**concurrency: Any) -> dict[str, Any]:
    """What a caller gets that the replica does not take."""
    (item,) = of_kind("EnvoyFilter", model(traffic={"concurrency": concurrency}))
    (patch,) = item["spec"]["configPatches"]
    (mapper,) = patch["patch"]["value"]["typed_config"]["local_reply_config"]["mappers"]
    return dict(mapper)


def rate_limit(**settings: Any) -> dict[str, Any]:
    """The filter at the gateway."""
    limited = model(traffic={"rateLimit": {"requests": 60, **settings}, "concurrency": None})
    (item,) = of_kind("EnvoyFilter", limited)
    (patch,) = item["spec"]["configPatches"]
    return dict(patch["patch"]["value"]["typed_config"])


def test_by_default_a_replica_takes_what_runs_and_as_many_that_wait() -> None:
    http = pool(model())["http"]
    assert http["http2MaxRequests"] == 64
    assert http["http1MaxPendingRequests"] == 64


def test_requests_wait_in_the_server_and_not_for_a_connection() -> None:
    assert "maxConnections" not in pool(model())["tcp"]


def test_a_proxy_closes_its_connection_before_the_server_does() -> None:
    made = model(traffic={"timeouts": {"idle": "90s"}})
    assert pool(made)["http"]["idleTimeout"] == "90s"
    assert made.stable.launch.keep_alive_seconds > 90


def test_each_version_has_the_limit_of_its_own_server() -> None:
    made = of_kind("Sidecar", model(canary=CANARY | {"maxSequences": 8}))
    limits = {
        item["spec"]["workloadSelector"]["labels"]["version"]: item["spec"][
            "inboundConnectionPool"
        ]["http"]["http2MaxRequests"]
        for item in made
    }
    assert limits == {"stable": 64, "canary": 16}
    assert len({item["metadata"]["name"] for item in made}) == 2


def test_a_refused_caller_is_told_when_to_come_back() -> None:
    reply = refusal(retryAfter="1m")
    assert reply["status_code"] == 429
    assert reply["headers_to_add"][0]["header"] == {"key": "retry-after", "value": "60"}
    assert json.loads(reply["body"]["inline_string"])["error"]["code"] == "overloaded"


def test_a_model_without_a_limit_has_nothing_that_keeps_it() -> None:
    for made in (model(runtime=CUSTOM), model(traffic={"concurrency": None})):
        assert of_kind("Sidecar", made) == of_kind("EnvoyFilter", made) == []


def test_each_caller_has_a_bucket_and_those_without_the_header_have_one_together() -> None:
    made = rate_limit(per="hour", header="x-api-key")
    named, nameless = made["descriptors"]
    assert [entry.get("value") is None for entry in named["entries"]] == [False, True]
    assert nameless["entries"] == named["entries"][:1]
    for descriptor in (named, nameless):
        bucket = {"max_tokens": 60, "tokens_per_fill": 60, "fill_interval": "3600s"}
        assert descriptor["token_bucket"] == bucket
    action = made["rate_limits"][0]["actions"][1]["request_headers"]
    assert action == {
        "header_name": "x-api-key",
        "descriptor_key": "caller",
        "skip_if_absent": True,
    }


def test_requests_are_counted_on_the_gateways_routes_alone() -> None:
    values = {each["entries"][0]["value"] for each in rate_limit()["descriptors"]}
    (path,) = values
    assert path.endswith("/namespaces/ai-inference/virtual-service/deepseek-r1-1-5b-gateway")


def test_a_rate_limit_is_at_the_gateways_pods() -> None:
    limited = model(traffic={"rateLimit": {"requests": 60}, "concurrency": None})
    (item,) = of_kind("EnvoyFilter", limited)
    assert item["metadata"]["namespace"] == "istio-ingress"
    assert item["spec"]["workloadSelector"] == {"labels": {"istio": "ingress"}}


def test_the_budget_of_retries_is_the_destinations() -> None:
    (rule,) = of_kind("DestinationRule", model())
    assert rule["spec"]["trafficPolicy"]["retryBudget"] == {
        "percent": 20,
        "minRetryConcurrency": 3,
    }
    (rule,) = of_kind("DestinationRule", model(traffic={"retries": {"budget": None}}))
    assert "retryBudget" not in rule["spec"]["trafficPolicy"]
