"""The processes of one simulated cluster, recognised by their command line.

Process ids in files go stale after a crash or a reboot; what runs says itself which directory it
serves, since every process here is started with a path in it.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from simcluster.reporting import SimulationError

SUPERVISOR = "simcluster.supervisor"
CONTROL_PLANE = frozenset(
    {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}
)
ISTIOD = "pilot-discovery"
COMPANIONS = frozenset({"flagger", "prometheus"})
NAMES = CONTROL_PLANE | {ISTIOD} | COMPANIONS


def find(directory: Path) -> dict[int, str]:
    """Process id and name of everything else that serves the cluster in `directory`."""
    prefix = f"{directory}/"
    return {
        pid: name
        for pid, arguments in _command_lines()
        if pid != os.getpid()
        and (name := _name(arguments))
        and any(prefix in argument for argument in arguments[1:])
    }


def kill(directory: Path, names: frozenset[str] = NAMES | {SUPERVISOR}) -> None:
    """End the processes of the cluster in `directory` that have these names: all, by default."""
    deadline = time.monotonic() + 20
    while running := {pid: name for pid, name in find(directory).items() if name in names}:
        # The supervisor goes first, as it would start istiod again.
        for pid in sorted(running, key=lambda pid: running[pid] != SUPERVISOR):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise SimulationError(f"processes do not end: {running}")
        time.sleep(0.05)


def start(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Start a process that outlives this one, with its output added to `log`."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.posix_spawn(
            arguments[0],
            arguments,
            environment,
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inherited()),
            ],
        )
    finally:
        os.close(output)
        os.close(nothing)


def _inherited() -> list[int]:
    """Files that whoever called us left open for its children: a lock of flock, for example, which
    a process that goes on would hold."""
    found = []
    for entry in Path("/dev/fd").iterdir():
        descriptor = int(entry.name)
        with suppress(OSError):
            if descriptor > 2 and os.get_inheritable(descriptor):
                found.append(descriptor)
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, below the range that systems hand out by themselves."""
    ports: list[int] = []
    for port in random.sample(range(15100, 32000), 2000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise SimulationError("no free ports between 15100 and 32000 on this machine")


def _command_lines() -> list[tuple[int, list[str]]]:
    proc = Path("/proc")
    if not (proc / "self" / "cmdline").exists():
        return _command_lines_of_ps()
    lines = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                content = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            lines.append((int(entry.name), content.decode(errors="replace").split("\0")))
    return lines


def _command_lines_of_ps() -> list[tuple[int, list[str]]]:
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listing.stdout.splitlines())
    return [(int(pid), arguments) for pid, *arguments in rows]


def _name(arguments: list[str]) -> str | None:
    if SUPERVISOR in arguments:
        return SUPERVISOR
    name = Path(arguments[0]).name if arguments else ""
    return name if name in NAMES else None
