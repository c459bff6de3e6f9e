from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from simcluster import processes
from simcluster.reporting import SimulationError


@pytest.fixture
def etcd(tmp_path: Path) -> Path:
    """A program that waits and starts no other, under the name of a component."""
    program = tmp_path / "etcd"
    program.symlink_to(shutil.which("tail") or "/usr/bin/tail")
    return program


def test_free_ports_are_distinct_and_free() -> None:
    ports = processes.free_ports(12)
    assert len(set(ports)) == 12
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ports[0]))


def test_a_port_in_use_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        used = listener.getsockname()[1]
        free = processes.free_ports(1)[0]
        monkeypatch.setattr("random.sample", lambda *_: [used, free])
        assert processes.free_ports(1) == [free]
        with pytest.raises(SimulationError, match="no free ports"):
            processes.free_ports(2)


def test_a_process_is_known_by_the_directory_it_serves(etcd: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "a" / ".sim", tmp_path / "b" / ".sim"
    for directory in (mine, other):
        data = directory / "data"
        data.mkdir(parents=True)
        (data / "db").touch()
        processes.start([str(etcd), "-f", f"{data}/db"], dict(os.environ), tmp_path / "log")
    try:
        assert list(processes.find(mine).values()) == ["etcd"]
        processes.kill(mine)
        assert processes.find(mine) == {}
        assert list(processes.find(other).values()) == ["etcd"]
    finally:
        processes.kill(other)


def test_a_process_that_goes_on_keeps_no_file_of_its_caller_open(
    etcd: Path, tmp_path: Path
) -> None:
    data = tmp_path / "a" / ".sim"
    data.mkdir(parents=True)
    (data / "db").touch()
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    os.set_blocking(reader, False)
    processes.start([str(etcd), "-f", f"{data}/db"], dict(os.environ), tmp_path / "log")
    os.close(writer)
    try:
        # The end of the file; an open writer would raise BlockingIOError.
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)
        processes.kill(data)


def test_a_reader_of_a_log_is_not_a_process_of_the_cluster(tmp_path: Path) -> None:
    log = tmp_path / ".sim" / "logs" / "etcd.log"
    log.parent.mkdir(parents=True)
    log.touch()
    tail = subprocess.Popen(["tail", "-f", log])
    try:
        assert processes.find(tmp_path / ".sim") == {}
    finally:
        tail.kill()
        tail.wait()
