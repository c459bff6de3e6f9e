"""Time and peak memory of a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measure:
    seconds: float
    """Wall time."""
    peak_mib: float
    """Most resident memory."""


def measure(command: list[str], runs: int = 1, cwd: Path | None = None, text: str = "") -> Measure:
    """The fastest of `runs`; what the process prints is thrown away. Raises if it fails."""
    return min((_once(command, cwd, text) for _ in range(runs)), key=lambda one: one.seconds)


def _once(command: list[str], cwd: Path | None, text: str) -> Measure:
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write(text.encode())
    process.stdin.close()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(errors.decode())
        raise SystemExit(f"{' '.join(command)} failed")
    return Measure(seconds, usage.ru_maxrss / 1024)
