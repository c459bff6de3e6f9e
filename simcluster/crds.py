"""Custom resources of other projects, as a platform cluster has them: CRDs only, no controller."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from simcluster.reporting import SimulationError
from simcluster.toolchain import Source, source_dir


@dataclass(frozen=True)
class Crds(Source):
    """The CRDs of one project, in a folder of its Go module."""

    title: str = ""
    kinds: tuple[str, ...] = ("*",)
    """Plural names of the kinds to take: all of them by default."""

    def __str__(self) -> str:
        return f"{self.title} {self.version.removeprefix('v')}"

    def documents(self, kubectl: Path) -> list[bytes]:
        """One YAML document a CRD, with the project's own kustomization where it has one."""
        folder = source_dir(self)
        if not (folder / "kustomization.yaml").exists():
            return [
                path.read_bytes()
                for kind in self.kinds
                for path in sorted(folder.glob(f"*_{kind}.yaml"))
            ]
        answer = subprocess.run([kubectl, "kustomize", folder], capture_output=True)
        if answer.returncode:
            reason = answer.stderr.decode().strip()
            raise SimulationError(f"the CRDs of {self} cannot be read: {reason}")
        return answer.stdout.split(b"\n---\n")


def _crds(title: str, module: str, path: str, kinds: tuple[str, ...] = ("*",)) -> Crds:
    return Crds(f"crds-{title.lower()}", ("crds", module), path, title, kinds)


CRDS = (
    _crds("KEDA", "github.com/kedacore/keda/v2", "config/crd"),
    _crds("cert-manager", "github.com/cert-manager/cert-manager", "deploy/crds"),
    _crds("trust-manager", "github.com/cert-manager/trust-manager", "deploy/crds", ("bundles",)),
    _crds(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
        # What an application brings; the servers' own kinds are 4 MB of schema and 2 s of start.
        ("podmonitors", "probes", "prometheusrules", "scrapeconfigs", "servicemonitors"),
    ),
)
