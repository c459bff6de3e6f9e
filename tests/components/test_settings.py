from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from components.settings import Problem, Settings


class Inner(Settings):
    low_mark: int = 1
    high_mark: int = 2

    def problems(self) -> Iterator[Problem]:
        if self.low_mark > self.high_mark:
            yield Problem(("lowMark",), "above highMark")


class Outer(Settings):
    one: Inner = Inner()
    several: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}  # noqa: RUF012 (pydantic copies it)


def test_keys_are_in_camel_case() -> None:
    assert Inner.model_validate({"lowMark": 0}).low_mark == 0


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="lowmark"):
        Inner.model_validate({"lowmark": 0})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner().low_mark = 5  # type: ignore[misc]


def test_problems_are_found_at_every_depth_with_their_paths() -> None:
    bad = {"lowMark": 3}
    outer = Outer.model_validate({"one": bad, "several": [{}, bad], "byName": {"x": bad}})
    paths = [problem.path for problem in outer.all_problems()]
    assert paths == [("one", "lowMark"), ("several", "1", "lowMark"), ("byName", "x", "lowMark")]
