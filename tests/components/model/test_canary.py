from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes import Manifest
from components.mesh.protocol import Metadata
from components.model import objects
from components.model.settings import ModelSettings
from components.settings import Problem
from tests.components.samples import CUSTOM, NAME, model, model_settings

IMAGE = "vllm/vllm-openai:v0.32.1"


def problems(**settings: Any) -> list[Problem]:
    return list(ModelSettings.model_validate(model_settings(**settings)).all_problems())


def pod(version: int = 1, **settings: Any) -> Manifest:
    wanted = model(**settings)
    made = objects.deployment(wanted, wanted.versions[version], Metadata(), {})
    return dict(made["spec"]["template"]["spec"])


def container(version: int = 1, **settings: Any) -> Manifest:
    return dict(pod(version, **settings)["containers"][0])


def test_a_canary_is_the_stable_version_but_for_what_is_given() -> None:
    stable, canary = (container(number, canary={"image": IMAGE, "weight": 10}) for number in (0, 1))
    assert canary == stable | {"image": IMAGE}


def test_another_preset_brings_its_weights_sampling_and_flags() -> None:
    canary = {"preset": "hy-mt1.5-1.8b", "weight": 10}
    stable, other = (container(version, canary=canary)["args"] for version in (0, 1))
    assert other[0] == "tencent/HY-MT1.5-1.8B"
    assert any("repetition_penalty" in argument for argument in other)
    assert "--reasoning-parser=deepseek_r1" in stable
    assert "--reasoning-parser=deepseek_r1" not in other


def test_both_versions_answer_to_the_models_name() -> None:
    canary = {"preset": "hy-mt1.5-1.8b", "weight": 10}
    for version in (0, 1):
        assert f"--served-model-name={NAME}" in container(version, canary=canary)["args"]


def test_a_model_of_the_hub_takes_the_place_of_the_preset() -> None:
    arguments = container(canary={"model": "example/other", "weight": 10})["args"]
    assert arguments[0] == "example/other"
    assert not any(argument.startswith("--reasoning-parser") for argument in arguments)


def test_a_preset_takes_the_place_of_a_model_of_the_hub() -> None:
    runtime = {"kind": "vllm", "model": "example/model"}
    canary = {"preset": "hy-mt1.5-1.8b", "weight": 10}
    assert container(preset=None, runtime=runtime, canary=canary)["args"][0].startswith("tencent/")


def test_flags_and_limits_are_the_canarys_own() -> None:
    runtime = {"kind": "vllm", "arguments": ["--enforce-eager"], "environment": {"A": "1"}}
    canary = {
        "arguments": ["--enable-prefix-caching"],
        "environment": {"B": "2"},
        "maxSequences": 8,
        "maxLength": 2048,
        "dtype": "float16",
        "weight": 10,
    }
    made = container(runtime=runtime, canary=canary)
    given = {"--enable-prefix-caching", "--max-num-seqs=8", "--max-model-len=2048"}
    assert {*given, "--dtype=float16"} <= set(made["args"])
    assert "--enforce-eager" not in made["args"]
    environment = {each["name"]: each.get("value") for each in made["env"]}
    assert (environment["A"], environment["B"]) == ("1", "2")


def test_resources_and_gpus_are_the_canarys_own() -> None:
    canary = {"gpu": {"count": 2, "product": "NVIDIA-A10"}, "resources": {"cpu": 8}, "weight": 10}
    made = pod(gpu={"product": "NVIDIA-L4"}, canary=canary)
    limits = made["containers"][0]["resources"]
    assert limits["limits"]["nvidia.com/gpu"] == "2"
    assert limits["requests"]["cpu"] == "8"
    assert made["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A10"}
    assert "--tensor-parallel-size=2" in made["containers"][0]["args"]


def test_a_canary_may_have_an_autoscaler_of_its_own() -> None:
    scaling = {"signal": "cpu", "max": 3}
    made = model(canary={"image": IMAGE, "weight": 10, "autoscaling": scaling})
    (scaler,) = objects.autoscalers(made)
    assert scaler["spec"]["scaleTargetRef"]["name"] == f"{NAME}-canary"
    canary = objects.deployment(made, made.versions[1], Metadata(), {})
    assert "replicas" not in canary["spec"]


def test_the_stable_versions_autoscaler_is_not_the_canarys() -> None:
    canary = {"image": IMAGE, "weight": 10}
    made = model(autoscaling={"signal": "cpu", "max": 3}, canary=canary)
    assert made.versions[1].replicas == 1
    (scaler,) = objects.autoscalers(made)
    assert scaler["spec"]["scaleTargetRef"]["name"] == NAME


@pytest.mark.parametrize(
    ("canary", "path", "words"),
    [
        ({}, (), "the same as the stable version"),
        ({"headers": {"x-v": "canary"}}, (), "the same as the stable version"),
        ({"preset": "hy-mt1.5-1.8b", "model": "a/b"}, ("model",), "remove one"),
        (
            {"image": IMAGE, "replicas": 2, "autoscaling": {"signal": "cpu", "max": 3}},
            ("replicas",),
            "fight over the Deployment",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    canary: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    first, *_ = problems(canary={"weight": 10, **canary})
    assert first.path == ("canary", *path)
    assert words in first.message


def test_a_variable_of_a_secret_is_refused_in_the_canary_too() -> None:
    token = {"secret": "hub", "key": "token"}
    canary = {"environment": {"HF_TOKEN": "x"}, "weight": 10}
    (problem,) = problems(hugging_face_token=token, canary=canary)
    assert problem.path == ("canary", "environment", "HF_TOKEN")


def test_settings_of_vllm_are_refused_for_another_runtime() -> None:
    canary = {"maxSequences": 8, "weight": 10}
    (problem,) = problems(preset=None, runtime=CUSTOM, canary=canary)
    assert problem.path == ("canary", "maxSequences")


def test_a_canary_cannot_scale_on_a_queue_that_its_runtime_has_not() -> None:
    scaling = {"signal": "queue-depth", "max": 3}
    canary = {"image": "a/b:2", "weight": 10, "autoscaling": scaling}
    (problem,) = problems(preset=None, runtime=CUSTOM, canary=canary)
    assert problem.path == ("canary", "autoscaling", "signal")


def test_what_is_wrong_with_both_versions_is_said_once() -> None:
    canary = {"image": IMAGE, "weight": 10}
    (problem,) = problems(preset=None, canary=canary)
    assert "vLLM has no model to serve" in problem.message
