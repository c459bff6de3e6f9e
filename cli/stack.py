"""Which stack a command is about: a name, or the path of a stack file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LOCAL = "local"
"""The stack of the simulated cluster."""


class CommandError(Exception):
    """What went wrong and what to do, in one message."""


@dataclass(frozen=True)
class Stack:
    """A stack and its file."""

    name: str
    file: Path

    @classmethod
    def find(cls, given: str) -> Stack:
        """`dev` is Pulumi.dev.yaml; anything with a slash or ending in .yaml is a file."""
        is_file = "/" in given or given.endswith((".yaml", ".yml"))
        file = Path(given) if is_file else Path(f"Pulumi.{given}.yaml")
        if not file.is_file():
            known = sorted(path.name.split(".")[1] for path in Path().glob("Pulumi.*.yaml"))
            examples = sorted(str(path) for path in Path("examples").glob("*.yaml"))
            raise CommandError(
                f"there is no stack file {file}; expected one of {', '.join(known)}, or a path "
                f"such as {', '.join(examples)}"
            )
        return cls(file.stem.removeprefix("Pulumi."), file)

    def document(self) -> dict[str, Any]:
        """The file's content. Raises CommandError where it is not a stack file."""
        try:
            content = yaml.safe_load(self.file.read_text())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CommandError(f"{self.file} is not valid YAML: {error}") from None
        if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
            raise CommandError(f"{self.file} has no `config:` map, which is where settings stand")
        return content
