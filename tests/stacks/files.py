"""The stack files that are committed, read as the commands read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gitops import stackfile
from gitops.record import Recording, record
from gitops.stackfile import StackFile
from stacks.load import from_mapping
from stacks.schema import PREFIX
from stacks.settings import StackSettings

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "__main__.py"
FILES = [*sorted(ROOT.glob("Pulumi.*.yaml")), *sorted(ROOT.glob("examples/*.yaml"))]
MADE_BY_UP = {
    f"{PREFIX}charts": None,
    f"{PREFIX}gateway": {"host": "deepseek-api.example.com", "tls": {"secret": "certificate"}},
}
"""What stands in stack `local` for files that only a running simulation has."""


def stack_file(path: Path) -> StackFile:
    """A committed stack, without what is there only beside a simulated cluster."""
    stack = stackfile.read(path)
    if stack.name != "local":
        return stack
    kept = {key: value for key, value in stack.config.items() if key not in MADE_BY_UP}
    stand_ins = {key: json.dumps(value) for key, value in MADE_BY_UP.items() if value}
    return StackFile(stack.name, kept | stand_ins)


def settings(path: Path) -> StackSettings:
    config = stack_file(path).config
    given = {
        key.removeprefix(PREFIX): json.loads(value) if value[:1] in "{[" else value
        for key, value in config.items()
    }
    return from_mapping(given)


def recorded(path: Path) -> Recording:
    """What the program declares for a stack file."""
    return record(PROGRAM, stack_file(path))


def by_kind_and_name(recording: Recording) -> dict[tuple[str, str], dict[str, Any]]:
    """Objects and releases, by their names in the cluster."""
    found = {}
    for resource in recording.resources:
        if resource.custom:
            name = (resource.inputs.get("metadata") or resource.inputs)["name"]
            found[resource.type.rpartition(":")[2], name] = resource.inputs
    return found
