from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from components.callers import AnyCaller, Caller

PRINCIPAL = "cluster.local/ns/default/sa/api-gateway"


def caller(given: Any) -> Caller:
    result: Caller = TypeAdapter(AnyCaller).validate_python(given)
    return result


def test_a_word_is_a_namespace() -> None:
    assert caller("frontend") == Caller(namespace="frontend")


def test_a_path_is_a_principal() -> None:
    assert caller(PRINCIPAL) == Caller(principal=PRINCIPAL)


def test_methods_and_paths_narrow_a_caller() -> None:
    narrow = caller({"principal": PRINCIPAL, "methods": ["POST"], "paths": ["/v1/completions"]})
    assert narrow.methods == ("POST",)
    assert narrow.paths == ("/v1/completions",)


@pytest.mark.parametrize("given", [{}, {"namespace": "a", "principal": PRINCIPAL}])
def test_a_caller_is_one_of_both(given: dict[str, Any]) -> None:
    (problem,) = caller(given).problems()
    assert "exactly one" in problem.message


@pytest.mark.parametrize(
    "given",
    [
        "api/gateway",
        "spiffe://cluster.local/ns/a/sa/b",
        {"namespace": "a", "methods": ["FETCH"]},
        {"namespace": "a", "paths": ["/v1/*/models"]},
        {"namespace": "a", "paths": ["v1"]},
        7,
    ],
)
def test_what_is_no_caller_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        caller(given)


def test_a_principal_is_explained_by_an_example() -> None:
    with pytest.raises(ValidationError, match=r"cluster\.local/ns/default/sa/api-gateway"):
        caller("api/gateway")
