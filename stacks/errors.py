"""Configuration errors in words that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from components.settings import Problem
from stacks.schema import holds_secret, is_tag, keys_at

_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a map",
    "model_type": "a map of settings",
    "model_attributes_type": "a map of settings",
    "string_type": "text",
    "tuple_type": "a list",
}
"""Pydantic's kinds of error that speak of Python's types, in words of YAML."""


class ConfigurationError(Exception):
    """Everything that is wrong with a stack's configuration, in one message."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        head = f"the configuration has {count} problem{'s' if count > 1 else ''}:"
        lines = [f"  {'.'.join(p.path) or 'stack'}: {p.message}" for p in self.problems]
        super().__init__("\n".join([head, *lines]))


def field_problems(error: ValidationError, given: Mapping[str, Any]) -> list[Problem]:
    """The problems that pydantic found, with paths as they stand in the stack file."""
    return [
        Problem(_written_path(details["loc"], given), _words(details))
        for details in error.errors(include_url=False)
    ]


def _written_path(location: tuple[int | str, ...], given: Any) -> tuple[str, ...]:
    """Drop what pydantic adds to a location, such as the tag of a union: it is not in the file."""
    path: list[str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if part == "[key]" or is_tag(location[:index], part):
            continue
        inside = _step(given, part)
        if inside is None and not (last and isinstance(given, Mapping)):
            continue
        path.append(str(part))
        given = inside
    return tuple(path)


def _step(given: Any, part: int | str) -> Any:
    if isinstance(given, Mapping):
        return given.get(part)
    if isinstance(given, list) and isinstance(part, int) and part < len(given):
        return given[part]
    return None


def _words(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    got = "" if holds_secret(details["loc"]) else f"; got {_shown(details['input'])}"
    if kind == "extra_forbidden":
        return _unknown_key(details)
    if kind == "missing":
        return "is required"
    if kind == "union_tag_invalid":
        key = context["discriminator"].strip("'")
        return f"unknown {key} '{context['tag']}'; expected {context['expected_tags']}"
    if kind == "literal_error":
        return f"expected {context['expected']}{got}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}{got}"
    if kind == "union_tag_not_found":
        return f"needs the key {context['discriminator']}, which says what kind it is"
    if kind == "value_error":
        return f"{context['error']}{got}"
    return f"{details['msg'].removeprefix('Input ')}{got}"


def _shown(value: Any) -> str:
    """A value in a message, kept short."""
    text = (
        repr(value)
        if isinstance(value, str | int | float | bool | None)
        else "a " + ("list" if isinstance(value, list) else "map")
    )
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(details: ErrorDetails) -> str:
    key = str(details["loc"][-1])
    known = keys_at(details["loc"][:-1])
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
    return f"unknown key; {hint}"
