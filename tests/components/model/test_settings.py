from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.model.settings import ModelSettings
from tests.components.samples import CUSTOM, model_settings


def settings(**given: Any) -> ModelSettings:
    return ModelSettings.model_validate(model_settings(**given))


def problems(**given: Any) -> dict[str, str]:
    found = settings(**given).all_problems()
    return {".".join(path): message for path, message in found}


def test_default_configuration_has_no_problem() -> None:
    assert problems() == {}


def test_default_configuration_takes_one_gpu_four_cores_and_16_gib() -> None:
    default = settings()
    assert default.gpu.count == 1
    assert (default.resources.cpu, default.resources.memory) == ("4", "16Gi")


def test_a_load_may_take_ten_minutes_by_default() -> None:
    assert settings().startup.seconds == 600


def test_a_rollout_needs_no_spare_gpu_by_default() -> None:
    rollout = settings().rollout
    assert (rollout.surge, rollout.unavailable) == (0, 1)


def test_a_rollout_that_could_never_move_is_refused() -> None:
    message = problems(rollout={"surge": 0, "unavailable": 0})["rollout"]
    assert "no pod could ever be replaced" in message


def test_replicas_beside_an_autoscaler_are_refused() -> None:
    autoscaling = {"signal": "cpu", "max": 4}
    message = problems(replicas=2, autoscaling=autoscaling)["replicas"]
    assert "replicas and autoscaling would fight" in message
    assert problems(autoscaling=autoscaling) == {}


def test_queue_depth_needs_a_runtime_with_a_queue() -> None:
    autoscaling = {"signal": "queue-depth", "max": 4}
    message = problems(runtime=CUSTOM, autoscaling=autoscaling)["autoscaling.signal"]
    assert "custom runtime has no metric" in message
    assert "signal: cpu" in message
    assert problems(autoscaling=autoscaling) == {}


def test_vllm_needs_a_model_to_serve() -> None:
    assert "set preset" in problems(preset=None)[""]


def test_vllm_takes_a_preset_or_a_model_and_not_both() -> None:
    runtime = {"kind": "vllm", "model": "example/model"}
    assert problems(preset=None, runtime=runtime) == {}
    assert "names the model already" in problems(runtime=runtime)["runtime.model"]


def test_an_image_of_your_own_needs_no_preset() -> None:
    assert problems(preset=None, runtime=CUSTOM) == {}


@pytest.mark.parametrize(("grace", "drain"), [("180s", 160), ("2m", 100), ("21s", 1)])
def test_generations_have_the_grace_period_less_pre_stop_and_exit(grace: str, drain: int) -> None:
    assert settings(gracePeriod=grace).drain_seconds == drain


@pytest.mark.parametrize("grace", ["20s", "500ms"])
def test_a_grace_period_with_no_time_for_generations_is_refused(grace: str) -> None:
    assert "at least 30s" in problems(gracePeriod=grace)["gracePeriod"]


def test_a_probe_more_often_than_once_a_second_is_refused() -> None:
    assert "below 1s" in problems(startup={"period": "500ms"})["startup.period"]


def test_a_load_of_more_than_a_day_is_refused() -> None:
    assert (
        "more than a day" in problems(startup={"period": "1h", "failures": 25})["startup.failures"]
    )
    assert problems(startup={"period": "1h", "failures": 24}) == {}


@pytest.mark.parametrize(
    ("variable", "secrets"),
    [
        ("HF_TOKEN", {"huggingFaceToken": {"secret": "hub", "key": "token"}}),
        ("VLLM_API_KEY", {"apiKey": {}}),
    ],
)
def test_a_variable_that_comes_from_a_secret_is_not_given_twice(
    variable: str, secrets: dict[str, Any]
) -> None:
    runtime = {"kind": "vllm", "environment": {variable: "x"}}
    assert f"runtime.environment.{variable}" in problems(runtime=runtime, **secrets)
    assert problems(runtime=runtime) == {}


def test_a_toleration_of_any_value_has_none() -> None:
    tolerations = [{"key": "team", "operator": "Exists", "value": "x"}]
    assert "operator: Equal" in problems(tolerations=tolerations)["tolerations.0.value"]
    assert problems(tolerations=[{"key": "team", "operator": "Equal", "value": "x"}]) == {}


def test_a_claim_that_exists_and_one_to_make_exclude_each_other() -> None:
    both = {"kind": "pvc", "claim": "models", "size": "50Gi"}
    assert "either claim" in problems(cache=both)["cache"]
    assert "either claim" in problems(cache={"kind": "pvc"})["cache"]
    assert problems(cache={"kind": "pvc", "size": "50Gi"}) == {}


def test_a_claim_to_make_can_be_written_once() -> None:
    read_only = {"kind": "pvc", "size": "50Gi", "accessMode": "ReadOnlyMany"}
    assert "filled once" in problems(cache=read_only)["cache.accessMode"]


def test_a_host_path_with_steps_back_is_refused_as_kubernetes_would() -> None:
    assert "cache.path" in problems(cache={"kind": "hostPath", "path": "/var/../etc"})


@pytest.mark.parametrize(
    "bad",
    [
        {"service": "deepseek-r1-1.5b-svc"},
        {"canary": {"image": "a/b:1", "weight": 101}},
        {"canary": {"image": "a/b", "weight": 10}},
        {"gpu": {"count": 17}},
        {"gpu": {"resource": "gpu"}},
        {"generation": {"temperature": 2.1}},
        {"generation": {"topP": 0}},
        {"runtime": {**CUSTOM, "user": 0}},
        {"runtime": {**CUSTOM, "environment": {"NOT A NAME": "x"}}},
        {"tolerations": [{"key": "team", "operator": "Equal", "value": "two words"}]},
    ],
)
def test_values_outside_their_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**bad)


PICKER = {"balancing": {"policy": "endpoint-picker"}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"route": None}, "asked by the gateway"),
        ({"canary": {"image": "x/y:1", "weight": 10}}, "so that canary would have no effect"),
        ({"traffic": PICKER | {"retries": {"attempts": 0}}}, "so that traffic.retries would"),
        (
            {
                "traffic": PICKER
                | {"timeouts": {"firstByte": "10s"}, "fault": {"percent": 1, "abort": 503}}
            },
            "so that traffic.fault, traffic.timeouts.firstByte would have no effect",
        ),
        (
            {"traffic": PICKER | {"mirror": {"model": "b", "percent": 1, "sideEffects": "none"}}},
            "so that traffic.mirror would have no effect",
        ),
    ],
)
def test_what_an_endpoint_picker_leaves_no_room_for_is_refused(
    settings: dict[str, Any], words: str
) -> None:
    given = model_settings(**{"traffic": PICKER} | settings)
    (problem,) = ModelSettings.model_validate(given).all_problems()
    assert problem.path == ("traffic", "balancing", "policy")
    assert words in problem.message


def test_an_endpoint_picker_reads_the_metrics_of_vllm() -> None:
    given = {"namespace": "n", "runtime": CUSTOM, "traffic": PICKER}
    (problem,) = ModelSettings.model_validate(given).all_problems()
    assert "reads vLLM's metrics, and the runtime is custom" in problem.message
