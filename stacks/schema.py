"""The JSON Schema of the settings, for editors, and questions asked of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from stacks.settings import PROJECT, StackSettings

PREFIX = f"{PROJECT}:"
"""Namespace of the program's keys in a stack file."""

SCHEMA_FILE = Path(__file__).parent / "schema.json"
"""The schema as committed; editors find it by the first line of a stack file."""

Schema = dict[str, Any]


@cache
def settings_schema() -> Schema:
    return StackSettings.model_json_schema(by_alias=True, mode="validation")


def stack_file_schema() -> Schema:
    """The schema of a whole Pulumi.<stack>.yaml."""
    settings = settings_schema()
    keys = {f"{PREFIX}{key}": value for key, value in settings["properties"].items()}
    config = {
        "type": "object",
        "properties": keys,
        "required": [f"{PREFIX}{key}" for key in settings["required"]],
        "patternProperties": {f"^(?!{PREFIX})": True},
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of inference-mesh",
        "type": "object",
        "properties": {"config": config},
        "$defs": settings["$defs"],
    }


Location = tuple[int | str, ...]
"""As pydantic writes it: keys and indices, and the tags of unions."""


def keys_at(location: Location) -> list[str]:
    """The keys that a map at this location may have."""
    return sorted({key for schema in _schemas_at(location) for key in schema.get("properties", {})})


def is_tag(location: Location, part: int | str) -> bool:
    """Whether `part`, behind this location, says which of a union is meant, and is no key."""
    return any(
        part in schema.get("discriminator", {}).get("mapping", {})
        for schema in _schemas_at(location)
    )


def holds_secret(location: Location) -> bool:
    """Whether what stands at this location may be a secret, or hold one."""
    return "writeOnly" in json.dumps(_schemas_at(location))


def _schemas_at(location: Location) -> list[Schema]:
    candidates = [settings_schema()]
    for part in location:
        candidates = [found for schema in candidates for found in _inside(schema, part)]
    return [schema for candidate in candidates for schema in _alternatives(candidate)]


def _inside(schema: Schema, part: int | str) -> list[Schema]:
    found = []
    for option in _alternatives(schema):
        tags = option.get("discriminator", {}).get("mapping", {})
        if part in tags:
            found.append({"$ref": tags[part]})
        elif part in option.get("properties", {}):
            found.append(option["properties"][part])
        elif isinstance(part, int) and "items" in option:
            found.append(option["items"])
        elif isinstance(option.get("additionalProperties"), dict):
            found.append(option["additionalProperties"])
        else:
            found.extend(option.get("patternProperties", {}).values())
    return found or [schema]


def _alternatives(schema: Schema) -> list[Schema]:
    """A schema with its references and unions opened; a tagged union also stays itself."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _alternatives(settings_schema()["$defs"][name])
    options = schema.get("anyOf", []) + schema.get("oneOf", [])
    opened = [schema] if "discriminator" in schema or not options else []
    return opened + [inner for option in options for inner in _alternatives(option)]


def schema_text() -> str:
    return json.dumps(stack_file_schema(), indent=2, sort_keys=True) + "\n"


def write() -> None:
    SCHEMA_FILE.write_text(schema_text())
