"""The reference of all settings, written from the settings themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stacks.schema import PREFIX, Schema, settings_schema

REFERENCE_FILE = Path(__file__).parent.parent / "docs" / "configuration.md"
"""The reference as committed; a test holds it against the settings."""

_HEAD = f"""\
# Configuration

All that a stack file may say, written from the settings' own docstrings by `make schema`. The top
level stands under `config:`, each key with the prefix `{PREFIX}`. What is not set has the default
shown; unknown keys are errors.
"""


def reference_text() -> str:
    schema = settings_schema()
    sections = [_section("Stack", schema)]
    sections += [_section(name, schema["$defs"][name]) for name in _by_first_use(schema)]
    return "\n".join([_HEAD, *sections])


def _by_first_use(schema: Schema) -> list[str]:
    """The names of the definitions that are maps of settings, as a reader meets them."""
    order: dict[str, None] = {}
    queue = [schema]
    while queue:
        for name in _references(queue.pop(0)):
            if name not in order:
                order[name] = None
                queue.append(schema["$defs"][name])
    return [name for name in order if "properties" in schema["$defs"][name]]


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner.rsplit("/", 1)[-1]
            elif key not in ("discriminator", "$defs"):
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _section(title: str, schema: Schema) -> str:
    required = schema.get("required", [])
    rows = [
        f"| `{key}` | {_type(value)} | {_default(key, value, required)} | {_text(value)} |"
        for key, value in schema["properties"].items()
    ]
    head = ["| key | type | default | |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", _text(schema), "", *head, *rows, ""])


def _text(schema: Schema) -> str:
    return " ".join(schema.get("description", "").split()).replace("|", "\\|")


def _default(key: str, schema: Schema, required: list[str]) -> str:
    if key in required:
        return "required"
    default = schema.get("default")
    if default in (None, {}, []):
        return ""
    if isinstance(default, dict):
        return "see there"
    return f"`{json.dumps(default)}`"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        definition = settings_schema()["$defs"][name]
        return f"[{name}](#{name.lower()})" if "properties" in definition else _type(definition)
    if schema.get("writeOnly"):
        return "Pulumi secret"
    if options := schema.get("anyOf") or schema.get("oneOf"):
        types = (_type(option) for option in options if option.get("type") != "null")
        return " or ".join(dict.fromkeys(types))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object":
        return f"map of {_type(_values(schema))}"
    name = str(schema.get("type", "any"))
    return {"boolean": "true, false", "integer": "whole number", "string": "text"}.get(name, name)


def _values(schema: Schema) -> Schema:
    patterns = list(schema.get("patternProperties", {}).values())
    additional = schema.get("additionalProperties")
    found = patterns or ([additional] if isinstance(additional, dict) else [])
    return found[0] if found else {}


def write() -> None:
    REFERENCE_FILE.write_text(reference_text())
