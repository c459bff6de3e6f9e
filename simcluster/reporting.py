"""What the simulated cluster tells its user: progress lines and errors."""

from __future__ import annotations

import sys


class SimulationError(Exception):
    """One clear message: what failed, where to look, what to do."""


def say(text: str) -> None:
    """Write a progress line to standard error; standard output stays for results."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
