"""JSON Schema as far as the settings use it; a keyword that is not here is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
LIMITS: dict[str, tuple[type, Callable[[Any, Any], bool]]] = {
    "minimum": (float, lambda value, limit: value >= limit),
    "maximum": (float, lambda value, limit: value <= limit),
    "exclusiveMinimum": (float, lambda value, limit: value > limit),
    "exclusiveMaximum": (float, lambda value, limit: value < limit),
    "minLength": (str, lambda value, limit: len(value) >= limit),
    "maxLength": (str, lambda value, limit: len(value) <= limit),
    "pattern": (str, lambda value, pattern: re.search(pattern, value) is not None),
}
MAPS = {"properties", "patternProperties", "additionalProperties"}
NOTES = {
    "$defs",
    "$schema",
    "default",
    "description",
    "discriminator",
    "format",
    "title",
    "writeOnly",
}


def errors(value: Any, schema: Any, root: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where and why a value does not keep to a schema."""
    if schema is True:
        return
    if schema is False:
        yield f"{at}: not allowed"
        return
    for keyword, argument in schema.items():
        if keyword in NOTES:
            continue
        if keyword in LIMITS:
            sort, holds = LIMITS[keyword]
            concerned = isinstance(value, str) if sort is str else TYPES["number"](value)
            if concerned and not holds(value, argument):
                yield f"{at}: {value!r} breaks {keyword} {argument}"
        elif check := CHECKS.get(keyword):
            yield from check(value, argument, schema, root, at)
        elif keyword not in MAPS:
            raise NotImplementedError(f"{at}: {keyword}")
    if isinstance(value, dict):
        yield from _entries(value, schema, root, at)


Check = Callable[[Any, Any, dict[str, Any], dict[str, Any], str], Iterator[str]]


def _reference(value: Any, name: str, _: Any, root: dict[str, Any], at: str) -> Iterator[str]:
    yield from errors(value, root["$defs"][name.removeprefix("#/$defs/")], root, at)


def _type(value: Any, name: str, _: Any, __: Any, at: str) -> Iterator[str]:
    if not TYPES[name](value):
        yield f"{at}: {value!r} is no {name}"


def _choice(value: Any, allowed: Any, _: Any, __: Any, at: str) -> Iterator[str]:
    if value not in (allowed if isinstance(allowed, list) else [allowed]):
        yield f"{at}: {value!r} is none of {allowed}"


def _options(
    value: Any, options: list[Any], schema: dict[str, Any], root: dict[str, Any], at: str
) -> Iterator[str]:
    failures = [list(errors(value, option, root, at)) for option in options]
    fitting = sum(not found for found in failures)
    if not fitting:
        yield from min(failures, key=len)
    elif fitting > 1 and options is schema.get("oneOf"):
        yield f"{at}: {value!r} fits {fitting} of the kinds"


def _entries(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str
) -> Iterator[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key, item in value.items():
        fitting = [known[key]] if key in known else []
        fitting += [inner for pattern, inner in patterns.items() if re.search(pattern, key)]
        for inner in fitting or [schema.get("additionalProperties", True)]:
            yield from errors(item, inner, root, f"{at}.{key}")


def _required(value: Any, keys: list[str], _: Any, __: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at}: {key} is missing" for key in keys if key not in value)


def _names(value: Any, schema: Any, _: Any, root: dict[str, Any], at: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        yield from errors(key, schema, root, f"{at}.{key}")


def _items(value: Any, schema: Any, _: Any, root: dict[str, Any], at: str) -> Iterator[str]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        yield from errors(item, schema, root, f"{at}.{index}")


CHECKS: dict[str, Check] = {
    "$ref": _reference,
    "anyOf": _options,
    "const": _choice,
    "enum": _choice,
    "items": _items,
    "oneOf": _options,
    "propertyNames": _names,
    "required": _required,
    "type": _type,
}
