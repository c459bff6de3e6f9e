"""The tools of the simulated cluster: built once from pinned Go modules, cached for the user.

The cache is `${XDG_CACHE_HOME:-~/.cache}/inference-mesh`. An entry is named by a hash of what it
is made from (go.mod, go.sum, flags, platform), and moves into place when it is complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simcluster import gomod
from simcluster.reporting import SimulationError, say

KUBERNETES = ("kubernetes", "k8s.io/kubernetes")
ETCD = ("etcd", "go.etcd.io/etcd/server/v3")
KWOK = ("kwok", "sigs.k8s.io/kwok")
HELM = ("helm", "helm.sh/helm/v4")
ISTIO = ("istio", "istio.io/istio")
POOLS = ("istio", "sigs.k8s.io/gateway-api-inference-extension")
FLAGGER = ("flagger", "github.com/fluxcd/flagger")
PROMETHEUS = ("prometheus", "github.com/prometheus/prometheus")
CHARTS = ("charts", "github.com/envoyproxy/gateway")
AI_GATEWAY = ("ai-gateway", "github.com/envoyproxy/ai-gateway")


@dataclass(frozen=True)
class Artefact:
    """Something kept in the cache: made from one module pinned in `tools/<folder>`."""

    name: str
    pin: tuple[str, str]
    path: str
    """A Go package of the module to build, or a folder of it to copy."""

    @property
    def version(self) -> str:
        return gomod.version(*self.pin)

    @property
    def recipe(self) -> tuple[str, ...]:
        """What the artefact depends on besides the pinned sums."""
        return (self.name, self.path)

    def key(self) -> str:
        folder = gomod.TOOLS / self.pin[0]
        parts = [(folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        parts.append("\n".join(self.recipe).encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@dataclass(frozen=True)
class Tool(Artefact):
    """A command built from Go; `minutes` is about what a cold build takes on 2 cores."""

    minutes: float = 1
    tags: str = ""

    @property
    def ldflags(self) -> str:
        if self.pin != KUBERNETES:
            return "-s -w"
        # Clients parse the version that the API server reports, and `go build` leaves it empty.
        major, minor, _ = self.version.removeprefix("v").split(".")
        fields = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
        return "-s -w " + " ".join(
            f"-X k8s.io/component-base/version.{name}={value}"
            for name, value in (fields | {"gitTreeState": "clean"}).items()
        )

    @property
    def flags(self) -> list[str]:
        tags = ["-tags", self.tags] if self.tags else []
        return ["-trimpath", *tags, "-ldflags", self.ldflags]

    @property
    def recipe(self) -> tuple[str, ...]:
        return (*super().recipe, *self.flags, platform.system(), platform.machine())

    def make(self, target: Path) -> None:
        say(f"building {self.name} {self.version} (about {self.minutes:g} min, once) ...")
        log, started = cache_root() / "logs" / f"{self.name}.log", time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            answer = subprocess.run(
                [gomod.go(), "build", *self.flags, "-o", str(target), self.path],
                cwd=gomod.TOOLS / self.pin[0],
                env=gomod.environment(),
                stdout=output,
                stderr=output,
            )
        if answer.returncode:
            last = (log.read_text().strip().splitlines() or ["no output"])[-1]
            raise SimulationError(f"building {self.name} failed: {last} (see {log})")
        say(f"built {self.name} in {time.monotonic() - started:.0f} s")


@dataclass(frozen=True)
class Source(Artefact):
    """A folder of a pinned module, such as charts or CRDs."""

    def make(self, target: Path) -> None:
        origin = gomod.module_dir(*self.pin) / self.path
        if not origin.is_dir():
            raise SimulationError(f"{self.pin[1]} {self.version} has no folder {self.path}")
        copy_tree(origin, target)


TOOLS = (
    Tool("kube-apiserver", KUBERNETES, "k8s.io/kubernetes/cmd/kube-apiserver", 4),
    Tool("kube-controller-manager", KUBERNETES, "k8s.io/kubernetes/cmd/kube-controller-manager", 1),
    Tool("kube-scheduler", KUBERNETES, "k8s.io/kubernetes/cmd/kube-scheduler", 0.5),
    Tool("kubectl", KUBERNETES, "k8s.io/kubernetes/cmd/kubectl", 1),
    Tool("etcd", ETCD, "go.etcd.io/etcd/server/v3", 0.5),
    Tool("kwok", KWOK, "sigs.k8s.io/kwok/cmd/kwok", 1.5),
    Tool("kwokctl", KWOK, "sigs.k8s.io/kwok/cmd/kwokctl", 0.5),
    Tool("helm", HELM, "helm.sh/helm/v4/cmd/helm", 2),
    Tool(
        "pilot-discovery",
        ISTIO,
        "istio.io/istio/pilot/cmd/pilot-discovery",
        4.5,
        "vtprotobuf,disable_pgv",
    ),
)
COMPANIONS = (
    Tool("flagger", FLAGGER, "github.com/fluxcd/flagger/cmd/flagger", 3.5),
    # Its discovery of targets at cloud providers is most of what there is to build.
    Tool(
        "prometheus",
        PROMETHEUS,
        "github.com/prometheus/prometheus/cmd/prometheus",
        3,
        "remove_all_sd",
    ),
)
"""What tests run beside a cluster."""

STAGES = Source("stages", KWOK, "kustomize/stage")
ISTIO_CHARTS = Source("istio-charts", ISTIO, "manifests/charts")


def bin_dir(tools: tuple[Tool, ...] = TOOLS) -> Path:
    """The folder with these tools; what is missing is built first."""
    keys = hashlib.sha256("".join(tool.key() for tool in tools).encode()).hexdigest()[:16]
    return once(cache_root() / f"bin-{keys}", partial(_link, tools))


def source_dir(source: Source) -> Path:
    """The folder with a copy of `source`; it is downloaded first when it is missing."""
    return once(cache_root() / "store" / f"{source.name}-{source.key()}", source.make)


def cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "inference-mesh"


def copy_tree(origin: Path, target: Path) -> None:
    """Copy files alone: Go's module cache is read-only, and a copy must not be."""
    for path in sorted(origin.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(origin)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name` of this user's cache, after waiting for whoever has it."""
    folder = cache_root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that works on {name} ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _link(tools: tuple[Tool, ...], target: Path) -> None:
    target.mkdir()
    for tool in tools:
        binary = once(cache_root() / "store" / f"{tool.name}-{tool.key()}", tool.make)
        (target / tool.name).symlink_to(Path("..") / "store" / binary.name)


def once(target: Path, make: Callable[[Path], None]) -> Path:
    """`target`, made on the first call; a crash half-way leaves nothing under its name."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        locked(f"{target.name}"),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as scratch,
    ):
        if not target.exists():
            made = Path(scratch) / target.name
            make(made)
            made.replace(target)
    return target
