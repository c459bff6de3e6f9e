"""helm and kubectl as the engine, where there is no Pulumi CLI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.target import Target
from gitops.engine import HelmAndKubectl

PROGRAM = Path("__main__.py")


@dataclass(frozen=True)
class KubectlEngine:
    """The same program through `gitops`, on a target."""

    target: Target
    name: str = "kubectl"

    def preview(self) -> None:
        self._deployer.preview(self.target.stack.file)

    def up(self) -> None:
        self._deployer.up(self.target.stack.file)

    def down(self) -> None:
        self._deployer.down(self.target.stack.file)

    @property
    def _deployer(self) -> HelmAndKubectl:
        return HelmAndKubectl(PROGRAM, self.target.cluster)
