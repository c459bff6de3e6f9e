"""The base of every settings class: strict, immutable, camelCase in YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Problem(NamedTuple):
    """One thing wrong with a configuration: where, and what to do about it.

    `path` holds the keys from the settings object that reports it down to the value; the loader
    puts the keys above it in front.
    """

    path: tuple[str, ...]
    message: str


class Settings(BaseModel):
    """What a user writes in a stack file.

    Unknown keys are errors, values never change after loading, and keys are camelCase in YAML as
    in Kubernetes. A rule about one value belongs to its type; a rule across values goes into
    `problems`, so that all broken rules of a file are reported together.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        validate_default=False,
        use_attribute_docstrings=True,
    )

    def problems(self) -> Iterator[Problem]:
        """The broken rules across fields of this object; none by default."""
        return iter(())

    def all_problems(self) -> Iterator[Problem]:
        """The broken rules of this object and of every settings object inside it."""
        yield from self.problems()
        for key, value in self.entries():
            yield from _inner_problems((key,), value)

    def entries(self) -> Iterator[tuple[str, object]]:
        """Keys as in YAML, with their values."""
        for name in type(self).model_fields:
            if name in self.__dict__:
                yield to_camel(name), getattr(self, name)


def _inner_problems(path: tuple[str, ...], value: object) -> Iterator[Problem]:
    if isinstance(value, Settings):
        for problem in value.all_problems():
            yield Problem(path + problem.path, problem.message)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inner_problems((*path, str(key)), item)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _inner_problems((*path, str(index)), item)
