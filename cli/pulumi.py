"""The Pulumi CLI as the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cli.stack import CommandError
from cli.target import Target
from simcluster.toolchain import cache_root

INSTALLER = "https://get.pulumi.com"
"""https://www.pulumi.com/docs/iac/download-install/"""


def find() -> Path | None:
    """The CLI, if it and its Kubernetes plugin are here or can be downloaded; None otherwise.

    The CLI's version is that of the SDK, so that both speak the same protocol.
    """
    on_path = shutil.which("pulumi")
    binary = Path(on_path) if on_path else _installed_here()
    return binary if binary is not None and _has_kubernetes_plugin(binary) else None


def _installed_here() -> Path | None:
    """The CLI that the official installer put, or can put, into our cache."""
    home = cache_root() / f"pulumi-{version('pulumi')}"
    binary = home / "bin" / "pulumi"
    if not binary.exists():
        try:
            with urllib.request.urlopen(INSTALLER, timeout=5) as answer:
                script = answer.read()
        except (urllib.error.URLError, TimeoutError):
            return None
        options = ["--version", version("pulumi"), "--install-root", str(home), "--no-edit-path"]
        subprocess.run(["sh", "-s", "--", *options], input=script, check=False)
    return binary if binary.exists() else None


def _has_kubernetes_plugin(binary: Path) -> bool:
    """On PATH, installed before, or installed now: the second and third are one command."""
    if shutil.which("pulumi-resource-kubernetes"):
        return True
    install = ["plugin", "install", "resource", "kubernetes", version("pulumi-kubernetes")]
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = subprocess.run([binary, *install], env=environment, capture_output=True, check=False)
    return answer.returncode == 0


@dataclass(frozen=True)
class PulumiEngine:
    """`pulumi` on a target.

    For the simulated cluster the state is a local file beside it, in a project folder whose
    program is this one, so that nothing of a simulation gets into the repository. For a cluster
    of the user's own, state and login are what `pulumi` finds there.
    """

    binary: Path
    target: Target
    name: str = "pulumi"

    def preview(self) -> None:
        self._run("preview", "--diff")

    def up(self) -> None:
        # Refreshed, so that what was changed by hand, or left by a run cut short, is mended.
        self._run("up", "--refresh", *(("--skip-preview", "--yes") if self._unattended else ()))

    def down(self) -> None:
        self._run("destroy", *(("--yes",) if self._unattended else ()))

    @property
    def _unattended(self) -> bool:
        return self.target.simulated or not sys.stdin.isatty()

    def _run(self, command: str, *options: str) -> None:
        environment = dict(os.environ)
        project = Path()
        if self.target.simulated:
            project = self._simulation_project()
            backend = (project / "state").resolve()
            backend.mkdir(exist_ok=True)
            environment |= {
                "PULUMI_BACKEND_URL": f"file://{backend}",
                "PULUMI_CONFIG_PASSPHRASE": "",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            }
        base = [str(self.binary), "--cwd", str(project)]
        base += ["--non-interactive"] if self._unattended else []
        stack = self.target.stack
        own_file = [] if self.target.simulated else ["--config-file", str(stack.file)]
        select = [*base, "stack", "select", "--create", stack.name]
        call = [*base, command, "--stack", stack.name, *own_file, *options]
        for step in (select, call):
            code = subprocess.run(step, env=environment, check=False).returncode
            if code:
                raise CommandError(f"pulumi {command} of stack {stack.name} failed: see above")

    def _simulation_project(self) -> Path:
        folder = self.target.stack.file.parent
        root = os.path.relpath(Path(), folder)
        text = Path("Pulumi.yaml").read_text().replace("virtualenv: ", f"virtualenv: {root}/")
        (folder / "Pulumi.yaml").write_text(f"{text}main: {root}\n")
        return folder
