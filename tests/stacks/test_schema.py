from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.schema import PREFIX, SCHEMA_FILE, holds_secret, keys_at, schema_text
from tests.components.samples import NAME, model_settings, stack_mapping
from tests.stacks.files import FILES
from tests.stacks.json_schema import errors

SCHEMA = json.loads(SCHEMA_FILE.read_text())


def found(config: dict[str, Any]) -> list[str]:
    """What an editor underlines in a stack file."""
    keyed = {f"{PREFIX}{key}": value for key, value in config.items()}
    return list(errors({"config": keyed}, SCHEMA, SCHEMA))


def test_the_committed_schema_is_in_step_with_the_settings() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), "run `make schema`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_stack_file_keeps_to_the_schema_that_it_names(path: Path) -> None:
    text = path.read_text()
    named = text.partition("$schema=")[2].splitlines()[0]
    assert (path.parent / named).resolve() == SCHEMA_FILE
    assert list(errors(yaml.safe_load(text), SCHEMA, SCHEMA)) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"replicsa": 3},
        {"replicas": "three"},
        {"runtime": {"kind": "vllm", "maxLenght": 1}},
        {"runtime": {"kind": "tgi"}},
        {"canary": {"image": "a/b:1", "weight": 101}},
        {"canary": {"image": "a/b:1"}},
        {"service": "a.b"},
        {"gracePeriod": "soon"},
        {"callers": [{"namespaces": "frontend"}]},
        {"huggingFaceToken": "hf_in_plain_text"},
    ],
)
def test_an_editor_sees_what_the_loader_refuses(settings: dict[str, Any]) -> None:
    assert found(stack_mapping()) == []
    assert found(stack_mapping({NAME: model_settings(**settings)})) != []


def test_an_editor_sees_a_stack_without_a_mesh() -> None:
    assert any("mesh is missing" in error for error in found({"models": {}}))


def test_configuration_of_other_providers_is_left_alone() -> None:
    config = {f"{PREFIX}mesh": {"kind": "istio"}, "kubernetes:context": "blue"}
    assert list(errors({"config": config}, SCHEMA, SCHEMA)) == []


def test_a_secret_as_pulumi_writes_it_keeps_to_the_schema() -> None:
    sealed = {"huggingFaceToken": {"secure": "v1:abc"}, "apiKey": {"value": {"secure": "v1:x"}}}
    assert found(stack_mapping({NAME: model_settings(**sealed)})) == []


def test_the_keys_of_a_place_are_known_through_unions_and_maps() -> None:
    assert keys_at(("models", "m", "startup")) == ["failures", "period"]
    assert "maxLength" in keys_at(("models", "m", "runtime", "vllm"))
    assert "healthPath" not in keys_at(("models", "m", "runtime", "vllm"))
    assert "healthPath" in keys_at(("models", "m", "runtime"))
    assert keys_at(("models", "m", "callers", 0)) == ["methods", "namespace", "paths", "principal"]


def test_places_that_may_hold_a_secret_are_known() -> None:
    assert holds_secret(("models", "m", "apiKey"))
    assert holds_secret(("models", "m", "huggingFaceToken"))
    assert not holds_secret(("models", "m", "replicas"))
