"""Values as the Pulumi SDK sends them, turned into plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import rpc

from gitops.errors import GitopsError

Keys = tuple[str, ...]


@dataclass
class Plain:
    """A value, and where in it are secrets and values that are not known."""

    value: Any = None
    secrets: list[Keys] = field(default_factory=list)
    unknowns: list[Keys] = field(default_factory=list)


def plain(struct: Any) -> Plain:
    """Turn a protobuf Struct into a dict; whole numbers, all floats on the wire, become ints."""
    result = Plain()
    result.value = _fields(struct.fields, (), result)
    return result


def _fields(fields: Any, at: Keys, found: Plain) -> dict[str, Any]:
    return {key: _value(fields[key], (*at, key), found) for key in sorted(fields)}


def _value(value: Any, at: Keys, found: Plain) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        if text == rpc.UNKNOWN:
            found.unknowns.append(at)
            return None
        return text
    if kind == "struct_value":
        fields = value.struct_value.fields
        if rpc._special_sig_key in fields:
            return _special(fields, at, found)
        return _fields(fields, at, found)
    if kind == "list_value":
        items = value.list_value.values
        return [_value(item, (*at, str(index)), found) for index, item in enumerate(items)]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _special(fields: Any, at: Keys, found: Plain) -> Any:
    sort = fields[rpc._special_sig_key].string_value
    if sort == rpc._special_secret_sig:
        found.secrets.append(at)
        return _value(fields["value"], at, found)
    if sort == rpc._special_resource_sig:
        return _value(fields["id" if "id" in fields else "urn"], at, found)
    raise GitopsError(f"{'.'.join(at)} is a file or an archive, which needs the Pulumi CLI")
