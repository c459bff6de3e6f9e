"""The engine of these tests sees what Pulumi's mocks hide."""

from __future__ import annotations

import pulumi
import pytest

from components.kubernetes import KubernetesObject, manifest
from tests.components.recording import Sealed, deployed


def test_a_duplicate_name_fails_the_program() -> None:
    def twice() -> None:
        for _ in range(2):
            KubernetesObject(manifest("v1", "ConfigMap", "same", "default"))

    with pytest.raises(BaseException, match="two resources have the URN"):
        deployed(twice)


def test_an_assert_inside_apply_fails_the_program() -> None:
    def program() -> pulumi.Output[None]:
        item = KubernetesObject(manifest("v1", "ConfigMap", "one", "default"))

        def check(urn: str) -> None:
            assert "two" in urn

        return item.urn.apply(check)

    with pytest.raises(AssertionError):
        deployed(program)


def test_secrets_are_sealed_and_dependencies_known() -> None:
    def program() -> None:
        first = KubernetesObject(manifest("v1", "Namespace", "first"))
        data = {"key": pulumi.Output.secret("value")}
        KubernetesObject(
            manifest("v1", "Secret", "second", "first", stringData=data),
            pulumi.ResourceOptions(depends_on=[first]),
        )

    result = deployed(program)
    secret = result.one("Secret")
    assert secret.inputs["stringData"] == {"key": Sealed("value")}
    assert result.follows(secret, result.one("Namespace"))
