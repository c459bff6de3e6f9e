from __future__ import annotations

from pathlib import Path

import pytest

from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError


def test_a_directory_with_other_files_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    for act in (SimulatedCluster.start, SimulatedCluster.stop):
        with pytest.raises(SimulationError, match="left as it is"):
            act(SimulatedCluster(tmp_path))
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_stopping_what_never_ran_is_fine(tmp_path: Path) -> None:
    SimulatedCluster(tmp_path / ".sim").stop()
    assert not (tmp_path / ".sim").exists()


def test_an_empty_directory_left_by_a_crash_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".sim").mkdir()
    SimulatedCluster(tmp_path / ".sim").stop()
    assert not (tmp_path / ".sim").exists()


def test_the_status_of_nothing_says_so(tmp_path: Path) -> None:
    assert "no simulated cluster runs" in SimulatedCluster(tmp_path / ".sim").status()


def test_ports_of_nothing_say_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="`up` starts one"):
        _ = SimulatedCluster(tmp_path / ".sim").ports
