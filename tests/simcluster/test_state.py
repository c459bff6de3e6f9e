from __future__ import annotations

from pathlib import Path

import pytest

from simcluster.state import PORTS, State, file


def test_a_state_survives_its_file(tmp_path: Path) -> None:
    state = State.new(tmp_path).completed("nodes")
    state.save(tmp_path)
    assert State.load(tmp_path) == state


def test_two_directories_give_two_names(tmp_path: Path) -> None:
    assert State.new(tmp_path / "a" / ".sim").name != State.new(tmp_path / "b" / ".sim").name


def test_every_port_is_its_own(tmp_path: Path) -> None:
    assert len(set(State.new(tmp_path).ports.values())) == len(PORTS)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x", "ports": {}}', '{"a": 1}'])
def test_a_state_cut_short_by_a_crash_is_no_state(tmp_path: Path, content: str) -> None:
    file(tmp_path).write_text(content)
    assert State.load(tmp_path) is None
