"""A Pulumi stack file, read the way the Pulumi CLI reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops.errors import GitopsError

PROJECT = "inference-mesh"


@dataclass(frozen=True)
class StackFile:
    """The stack's name and its configuration, each value as the string that Pulumi hands out."""

    name: str
    config: dict[str, str]


def name(path: Path) -> str:
    """The stack's name: `dev` for `Pulumi.dev.yaml`, else the file's stem."""
    return path.stem.removeprefix("Pulumi.")


def read(path: Path, project: str = PROJECT) -> StackFile:
    """Read `Pulumi.<stack>.yaml`, or any file of the same form.

    Raises GitopsError for a file that is missing or malformed, and for encrypted values, which
    only the Pulumi CLI can decrypt.
    """
    try:
        document = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 (a safe loader)
    except OSError as error:
        raise GitopsError(f"stack file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GitopsError(f"stack file {path} is not valid YAML: {error}") from None
    config = (document or {}).get("config") or {} if isinstance(document or {}, dict) else None
    if not isinstance(config, dict):
        raise GitopsError(f"stack file {path}: expected `config:` with one entry per setting")
    if encrypted := sorted(".".join(key) for key in _encrypted(config)):
        raise GitopsError(
            f"stack file {path} holds encrypted values, which need the Pulumi CLI to be read:\n"
            + "\n".join(f"  {key}" for key in encrypted)
            + "\nInstall the Pulumi CLI, or use a stack file without encrypted values."
        )
    return StackFile(
        name=name(path),
        config={
            key if ":" in key else f"{project}:{key}": _text(value) for key, value in config.items()
        },
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _encrypted(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of `{secure: <ciphertext>}`, the form in which Pulumi writes a secret."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            yield path
            return
        for key, item in value.items():
            yield from _encrypted(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _encrypted(item, (*path, str(index)))


class _Loader(yaml.CSafeLoader):
    """YAML as the CLI reads it: `on` and `no` are words, a time is text, a key is given once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# https://yaml.org/spec/1.2.2/#1032-tag-resolution
_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)
