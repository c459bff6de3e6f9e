"""The small program of these tests, recorded with the options that a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.record import Recording, record
from gitops.stackfile import StackFile

PROGRAM = Path(__file__).parent / "program" / "__main__.py"

Recorder = Callable[..., Recording]


def stack_file(**options: object) -> StackFile:
    return StackFile("test", {"inference-mesh:options": json.dumps(options)})


@pytest.fixture
def recorded() -> Recorder:
    """`recorded(size=4)`: the program's recording with the option `size`."""
    return lambda **options: record(PROGRAM, stack_file(**options))
