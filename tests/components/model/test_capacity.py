from __future__ import annotations

from typing import Any

from components.model.settings import ModelSettings
from stacks.settings import StackSettings
from tests.components.samples import CUSTOM, NAME, model_settings, stack_mapping

ISTIO = {"kind": "istio"}
LINKERD = {"kind": "linkerd"}


def problems(mesh: dict[str, Any] = ISTIO, **settings: Any) -> dict[str, str]:
    """Of a model in a stack with a gateway, by their paths below the model."""
    mapping = stack_mapping({NAME: model_settings(**settings)}, mesh=mesh)
    loaded = StackSettings.model_validate(mapping)
    return {".".join(path[2:]): message for path, message in loaded.all_problems()}


def limit(**settings: Any) -> int | None:
    return ModelSettings.model_validate(model_settings(**settings)).request_limit


def vllm(sequences: int) -> dict[str, Any]:
    return {"kind": "vllm", "maxSequences": sequences}


def test_by_default_a_replica_takes_twice_what_vllm_runs() -> None:
    assert limit() == 64
    assert limit(runtime=vllm(8)) == 16


def test_a_custom_server_has_a_limit_only_where_its_number_is_given() -> None:
    assert limit(runtime=CUSTOM) is None
    assert problems(runtime=CUSTOM) == {}
    assert limit(runtime=CUSTOM, traffic={"concurrency": {"running": 4, "queue": 6}}) == 10


def test_a_limit_that_a_custom_server_cannot_have_is_refused() -> None:
    message = problems(runtime=CUSTOM, traffic={"concurrency": {"queue": 6}})
    assert "set running" in message["traffic.concurrency.running"]


def test_no_limit_is_a_choice() -> None:
    assert limit(traffic={"concurrency": None}) is None
    assert problems(runtime=CUSTOM, traffic={"concurrency": None}) == {}


def test_more_running_than_the_server_runs_is_refused_with_its_number() -> None:
    given = {"runtime": vllm(8), "traffic": {"concurrency": {"running": 9}}}
    assert "8 requests at once" in problems(**given)["traffic.concurrency.running"]
    given["traffic"] = {"concurrency": {"running": 8}}
    assert problems(**given) == {}


def test_a_queue_that_never_reaches_the_autoscalers_target_is_refused() -> None:
    scaling = {"signal": "queue-depth", "max": 3, "target": 10}
    short = problems(autoscaling=scaling, traffic={"concurrency": {"queue": 11}})
    assert "queue to at least 12" in short["autoscaling.target"]
    assert problems(autoscaling=scaling, traffic={"concurrency": {"queue": 12}}) == {}
    assert problems(autoscaling=scaling, traffic={"concurrency": None}) == {}


def test_a_pool_that_cannot_keep_all_replicas_at_work_is_refused_with_what_they_need() -> None:
    pool = {"maxRequests": 1200, "maxConnections": 100}
    small = problems(replicas=40, traffic={"connectionPool": pool})
    assert "raise maxRequests to 1280" in small["traffic.connectionPool.maxRequests"]
    assert "raise maxConnections to 1280" in small["traffic.connectionPool.maxConnections"]
    assert problems(replicas=32) == {}


def test_a_limit_that_the_mesh_does_not_keep_stands_in_nobodys_way() -> None:
    assert "maxRequests" in str(problems(replicas=40))
    assert problems(LINKERD, replicas=40) == {}
    scaling = {"signal": "queue-depth", "max": 3, "target": 100}
    assert "autoscaling.target" in problems(autoscaling=scaling)
    assert problems(LINKERD, autoscaling=scaling) == {}


def test_http2_carries_many_requests_on_a_connection() -> None:
    pool = {"maxConnections": 100, "http2Upgrade": True}
    assert problems(replicas=10, traffic={"connectionPool": pool}) == {}


def test_no_pool_is_asked_for_requests_that_the_server_will_not_work_on() -> None:
    assert list(problems(traffic={"concurrency": {"running": 5000}})) == [
        "traffic.concurrency.running"
    ]


def test_a_canary_may_be_what_the_pool_is_too_small_for() -> None:
    canary = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10, "replicas": 33}
    (path,) = {path for path in problems(canary=canary) if path.endswith("maxRequests")}
    assert path == "traffic.connectionPool.maxRequests"


def test_a_response_longer_than_a_pod_has_to_stop_is_refused_with_the_time_that_lacks() -> None:
    message = problems(traffic={"timeouts": {"response": "170s"}})["traffic.timeouts.response"]
    assert "raise gracePeriod by 10s" in message
    assert problems(traffic={"timeouts": {"response": "160s"}}) == {}


def test_a_rate_limit_at_the_gateway_needs_a_route_there() -> None:
    limited = {"rateLimit": {"requests": 60}}
    assert "route" in problems(route=None, traffic=limited)["traffic.rateLimit"]
    assert problems(traffic=limited) == {}
