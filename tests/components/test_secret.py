from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from components.kubernetes import KubernetesObject
from components.secret import SecretReference, SecretValue, environment_from, secret_manifest
from tests.components.recording import Sealed, deployed

VALUE: TypeAdapter[Any] = TypeAdapter(SecretValue)


def test_a_text_is_a_secret_that_does_not_print_itself() -> None:
    value = VALUE.validate_python("hf_token")
    assert isinstance(value, SecretStr)
    assert "hf_token" not in repr(value)


def test_a_map_names_a_secret_that_exists() -> None:
    value = VALUE.validate_python({"secret": "hub", "key": "token"})
    assert value == SecretReference(secret="hub", key="token")


@pytest.mark.parametrize("given", [7, ["x"], {"secret": "hub"}, {"secret": "Hub", "key": "k"}])
def test_anything_else_is_refused_once(given: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        VALUE.validate_python(given)
    assert refused.value.error_count() == 1


def test_values_of_a_secret_are_sealed() -> None:
    def program() -> None:
        KubernetesObject(secret_manifest("hub", "ai-inference", {"token": "hf_token"}))

    secret = deployed(program).one("Secret")
    assert secret.inputs["stringData"] == {"token": Sealed("hf_token")}
    assert secret.inputs["type"] == "Opaque"


def test_a_container_reads_a_secret_by_name_and_key() -> None:
    entry = environment_from("HF_TOKEN", SecretReference(secret="hub", key="token"))
    reference = {"secretKeyRef": {"name": "hub", "key": "token"}}
    assert entry == {"name": "HF_TOKEN", "valueFrom": reference}
