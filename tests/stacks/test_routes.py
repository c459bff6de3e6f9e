from __future__ import annotations

from typing import Any

import pytest

from components.model.settings import ModelSettings
from stacks.routes import hosts, route_problems
from tests.components.samples import model_settings

MAIN = "llm.example.com"
CANARY = {"image": "x/y:1", "weight": 10, "sticky": True}
PICKER = {"balancing": {"policy": "endpoint-picker"}}


def models(**given: dict[str, Any]) -> dict[str, ModelSettings]:
    return {
        name: ModelSettings.model_validate(model_settings(**settings))
        for name, settings in given.items()
    }


def problems(**given: dict[str, Any]) -> list[str]:
    return [
        f"{'.'.join(problem.path)}: {problem.message}"
        for problem in route_problems(models(**given), MAIN)
    ]


BY_MODEL = {"route": {"byModel": True}}


@pytest.mark.parametrize(
    "given",
    [
        {"a": BY_MODEL, "b": BY_MODEL},
        {"a": BY_MODEL, "b": {"route": {"byModel": True, "prefix": "/b"}}},
        {"a": BY_MODEL, "rest": {}},
        {"a": {"route": {"prefix": "/a"}}, "b": {"route": {"prefix": "/ab"}}, "rest": {}},
        {"a": {}, "b": {"route": {"host": "b.example.com"}}, "c": {"route": None}},
        {"a": {"traffic": PICKER}, "b": {"traffic": PICKER, "route": {"prefix": "/b"}}},
        {"a": {"traffic": PICKER}, "b": {"route": {"host": "b.example.com"}}},
        {"a": {"canary": CANARY}},
    ],
)
def test_models_that_can_be_told_apart_share_a_host(given: dict[str, Any]) -> None:
    assert problems(**given) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": {}, "b": {}}, "models.b.route: a has https://llm.example.com/ already"),
        ({"a": {"route": {"prefix": "/v1"}}, "b": {"route": {"prefix": "/v1/b"}}}, "/v1 already"),
        ({"a": BY_MODEL, "b": {"route": {"prefix": "/b"}}}, "set route.byModel for both"),
        ({"a": {"traffic": PICKER}, "b": BY_MODEL}, "served with pickers or without"),
        (
            {"a": {"canary": CANARY}, "b": {"route": {"prefix": "/b"}}},
            "its requests with a header or cookie would be taken from b too; give a a route.prefix",
        ),
        (
            {"b": BY_MODEL, "a": {"canary": CANARY}},
            "models.a.route: a takes what is left of llm.example.com",
        ),
        ({"a" * 41: {"traffic": PICKER}}, "keeps 40 characters of it"),
    ],
)
def test_models_that_cannot_be_told_apart_are_refused(given: dict[str, Any], words: str) -> None:
    (problem,) = problems(**given)
    assert words in problem


def test_a_host_is_open_unless_a_model_takes_what_is_left_of_it() -> None:
    made = hosts(
        models(
            a=BY_MODEL,
            b={"route": {"host": "b.example.com"}},
            c={"route": {"host": "c.example.com", "prefix": "/c"}, "traffic": PICKER},
        ),
        MAIN,
    )
    assert made.all == (MAIN, "b.example.com", "c.example.com")
    assert made.open == (MAIN, "c.example.com")
    assert made.by_model == (MAIN,)
    assert made.picked == ("c.example.com",)


def test_the_gateways_own_host_is_open_where_no_model_is() -> None:
    assert hosts({}, MAIN).open == (MAIN,)
