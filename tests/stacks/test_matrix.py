"""Every feature on every mesh: it is realised there or refused, and never silently dropped."""

from __future__ import annotations

from typing import Any

import pytest

from components.mesh.features import FEATURES, Feature
from components.model.settings import ModelSettings
from stacks.errors import ConfigurationError
from stacks.load import from_mapping
from stacks.mesh import LACKS
from tests.components.samples import NAME, model_settings
from tests.stacks.features import MESHES, USES, stack
from tests.stacks.objects import Objects, objects, platform

CANARY_PODS = ("Deployment", "ai-inference", f"{NAME}-canary")
"""There on any mesh, whatever it makes of the weight."""

SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")

both = pytest.mark.parametrize("mesh", MESHES)
every = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)


def made_by_mesh(mesh: str, model: dict[str, Any]) -> Objects:
    """The objects that tell the mesh what to do; of those that are there on any mesh, what is
    written on them."""
    telling: Objects = {}
    for key, content in objects(platform(stack(mesh, model))).items():
        if key[0] == "Deployment" and key != CANARY_PODS:
            telling[key] = content["spec"]["template"]["metadata"]
        elif key[0] == "Service":
            telling[key] = content["metadata"]
        elif key[0] not in ("Deployment", "PodDisruptionBudget", *SCALERS):
            telling[key] = content
    return telling


def refusals(mesh: str, model: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a stack, by the dotted path."""
    try:
        from_mapping(stack(mesh, model))
    except ConfigurationError as error:
        return {".".join(problem.path): problem.message for problem in error.problems}
    return {}


def test_every_mesh_and_every_feature_is_tried() -> None:
    assert set(MESHES) == set(LACKS)
    assert set(USES) == {feature.name for feature in FEATURES}


@both
def test_a_mesh_lacks_nothing_but_features(mesh: str) -> None:
    assert set(LACKS[mesh]) <= {feature.name for feature in FEATURES}


@every
def test_a_use_of_a_feature_uses_it(feature: Feature) -> None:
    use = USES[feature.name]
    given, without = (
        ModelSettings.model_validate(model_settings(**settings))
        for settings in (use.given, use.without)
    )
    assert feature.used(given)
    assert not feature.used(without)


@both
@every
def test_a_feature_is_realised_or_refused(mesh: str, feature: Feature) -> None:
    use = USES[feature.name]
    if feature.name in LACKS[mesh]:
        path = f"models.{NAME}.{feature.path}"
        assert refusals(mesh, use.given)[path] == LACKS[mesh][feature.name]
    else:
        assert made_by_mesh(mesh, use.given) != made_by_mesh(mesh, use.without)
