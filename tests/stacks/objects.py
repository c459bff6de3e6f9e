"""The objects of a stack, as they reach the API server."""

from __future__ import annotations

from typing import Any

from stacks.load import from_mapping
from stacks.platform import build
from tests.components.recording import Deployment, Sealed, deployed

Key = tuple[str, str, str]
"""Kind, namespace and name."""
Objects = dict[Key, dict[str, Any]]


def platform(mapping: dict[str, Any]) -> Deployment:
    """What a stack registers."""
    settings = from_mapping(mapping)
    return deployed(lambda: build(settings))


def objects(deployment: Deployment) -> Objects:
    """The objects by key, which must be theirs alone; secret values stand in them as they are."""
    found: Objects = {}
    for resource in deployment.resources:
        if metadata := resource.inputs.get("metadata"):
            key = (resource.kind, metadata.get("namespace", ""), metadata["name"])
            assert key not in found, f"two objects are {key}"
            found[key] = _unsealed(resource.inputs)
    return found


def of_kind(found: Objects, kind: str) -> list[dict[str, Any]]:
    return [item for (own, *_), item in found.items() if own == kind]


def _unsealed(value: Any) -> Any:
    if isinstance(value, Sealed):
        return _unsealed(value.value)
    if isinstance(value, dict):
        return {key: _unsealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unsealed(item) for item in value]
    return value
