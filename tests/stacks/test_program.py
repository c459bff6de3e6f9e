"""The program as a user runs it: what is wrong is one message, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stacks.schema import PREFIX
from tests.components.samples import NAME, model_settings, stack_mapping
from tests.stacks.files import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]

BROKEN = stack_mapping({NAME: model_settings(replicsa=3)}, adoption="maybe")
MESSAGE = f"""\
error: the configuration has 2 problems:
  adoption: expected 'unmeshed', 'permissive' or 'strict'; got 'maybe'
  models.{NAME}.replicsa: unknown key; did you mean replicas?
"""


@pytest.fixture
def run() -> Run:
    """`run("-m", "gitops", ...)` in the project's folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., str]:
    """`stack(mapping)`: the path of a stack file with these settings."""

    def write(mapping: dict[str, object]) -> str:
        path = tmp_path / "Pulumi.test.yaml"
        config = {f"{PREFIX}{key}": value for key, value in mapping.items()}
        path.write_text(yaml.safe_dump({"config": config}))
        return str(path)

    return write


def test_a_broken_stack_file_is_one_message_and_nothing_is_written(
    run: Run, stack: Callable[..., str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run("-m", "gitops", "render", stack(BROKEN), str(out))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", MESSAGE)
    assert not out.exists()


def test_a_sound_stack_file_is_rendered(
    run: Run, stack: Callable[..., str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run("-m", "gitops", "render", stack(stack_mapping()), str(out))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(out.glob("*/deployment-ai-inference-*.yaml"))
