from __future__ import annotations

import pytest

from components.types import seconds
from tests.components.samples import CUSTOM, NAME, model

CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10, "replicas": 3}


def test_default_configuration_is_one_replica_that_gets_every_request() -> None:
    (stable,) = model().versions
    assert (stable.name, stable.deployment, stable.weight) == ("stable", NAME, 100)
    assert stable.replicas == 1


def test_weights_of_a_canary_and_the_stable_version_sum_to_100() -> None:
    stable, canary = model(canary=CANARY).versions
    assert (stable.weight, canary.weight) == (90, 10)
    assert (canary.name, canary.deployment, canary.replicas) == ("canary", f"{NAME}-canary", 3)


def test_an_autoscaler_owns_the_replicas_of_the_stable_version() -> None:
    stable, canary = model(canary=CANARY, autoscaling={"signal": "cpu", "max": 4}).versions
    assert stable.replicas is None
    assert canary.replicas == 3


def test_the_service_has_no_dots_though_the_model_has() -> None:
    assert model().service == "deepseek-r1-1-5b"
    assert model().service_host == "deepseek-r1-1-5b.ai-inference.svc.cluster.local"
    assert model(service="deepseek-r1-1-5b-svc").service == "deepseek-r1-1-5b-svc"


def test_pods_are_selected_by_a_label_that_no_setting_changes() -> None:
    name = {"app.kubernetes.io/name": NAME}
    assert model().selector == name
    fixed = name | {"app.kubernetes.io/instance": NAME}
    changed = model(labels=dict.fromkeys(("app", *fixed), "x"))
    assert changed.selector == name
    assert fixed.items() <= changed.labels.items()


def test_app_is_the_models_name_unless_it_is_given() -> None:
    assert model().labels["app"] == NAME
    assert model(labels={"app": "hy-mt-translator"}).labels["app"] == "hy-mt-translator"


def test_the_public_sees_what_the_runtime_means_for_it_unless_told_otherwise() -> None:
    assert model().public_paths == ("/v1/*",)
    assert model(route={"paths": ["/v1/models"]}).public_paths == ("/v1/models",)
    assert model(route={"paths": []}).public_paths == ()
    assert model(runtime=CUSTOM).public_paths == ()


@pytest.mark.parametrize(("idle", "kept"), [("5m", 360), ("1h", 3660), ("500ms", 60)])
def test_a_server_keeps_an_idle_connection_longer_than_the_proxies(idle: str, kept: int) -> None:
    timeouts = {"timeouts": {"idle": idle}}
    assert model(traffic=timeouts).stable.launch.keep_alive_seconds == kept > seconds(idle)
    assert model().stable.launch.keep_alive_seconds == 360


def test_all_versions_are_one_canonical_service_of_the_models_name() -> None:
    labels = model(canary=CANARY, labels={"app": "other"}).labels
    assert labels["app.kubernetes.io/name"] == NAME
    assert labels["app.kubernetes.io/component"] == "model-server"


def test_labels_of_the_user_are_on_every_object() -> None:
    labels = model(labels={"team": "search"}).labels
    assert labels["team"] == "search"
    assert labels["app.kubernetes.io/instance"] == NAME


def test_generation_is_the_presets_with_the_settings_over_it() -> None:
    generation = {"maxTokens": 2048, "temperature": 0.2, "topK": 5}
    assert model(generation=generation).stable.launch.generation == {
        "max_new_tokens": 2048,
        "temperature": 0.2,
        "top_k": 5,
        "top_p": 0.95,
    }


def test_the_translation_preset_samples_as_its_authors_say() -> None:
    assert model(preset="hy-mt1.5-1.8b").stable.launch.generation == {
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.6,
        "repetition_penalty": 1.05,
    }


def test_a_temperature_of_zero_is_a_temperature() -> None:
    assert model(generation={"temperature": 0}).stable.launch.generation["temperature"] == 0


def test_weights_come_from_the_hub_unless_the_cache_holds_them() -> None:
    assert model().stable.launch.weights == "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
    image = {"kind": "image", "image": "registry.example.com/weights:v1", "path": "/hub"}
    assert model(cache=image).stable.launch.weights == "/models/hub"


def test_weights_of_a_model_without_a_preset_are_what_the_runtime_names() -> None:
    runtime = {"kind": "vllm", "model": "example/model"}
    assert model(preset=None, runtime=runtime).stable.launch.weights == "example/model"
    assert model(preset=None, runtime=CUSTOM).stable.launch.weights == NAME
