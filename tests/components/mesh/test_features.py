from __future__ import annotations

from typing import Any

import pytest

from components.mesh.features import FEATURES, Feature
from components.model.settings import ModelSettings
from tests.components.samples import model_settings

FEATURE = {feature.name: feature for feature in FEATURES}


def used(name: str, **settings: Any) -> bool:
    return FEATURE[name].used(ModelSettings.model_validate(model_settings(**settings)))


def test_default_configuration_uses_nothing_in_which_meshes_differ() -> None:
    settings = ModelSettings.model_validate(model_settings())
    assert [feature.name for feature in FEATURES if feature.used(settings)] == []


def test_a_setting_that_repeats_its_default_is_not_used() -> None:
    assert not used("traffic.retries.attempts", traffic={"retries": {"attempts": 2}})
    assert used("traffic.retries.attempts", traffic={"retries": {"attempts": 1}})


def test_a_setting_below_one_that_is_not_there_is_not_used() -> None:
    canary = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
    assert not used("canary.sticky")
    assert not used("canary.sticky", canary=canary)
    assert used("canary.sticky", canary=canary | {"sticky": True})


def test_one_value_of_a_setting_can_be_a_feature() -> None:
    queue = Feature("autoscaling.signal", "by queue", "queue-depth")
    for signal, expected in (("queue-depth", True), ("cpu", False)):
        given = model_settings(autoscaling={"signal": signal, "max": 3})
        assert queue.used(ModelSettings.model_validate(given)) is expected


@pytest.mark.parametrize("feature", FEATURES, ids=str)
def test_every_feature_names_a_setting_that_exists(feature: Feature) -> None:
    from stacks.schema import keys_at

    *parents, key = feature.path.split(".")
    assert key in keys_at(("models", "a", *parents))
