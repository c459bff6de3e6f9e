"""Where a stack is deployed: a cluster of the user's own, or the simulated one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.stack import LOCAL, CommandError, Stack
from gitops.cluster import Cluster
from gitops.stackfile import PROJECT
from simcluster.cluster import SimulatedCluster
from simcluster.toolchain import copy_tree

SIMULATION = Path(".sim")
"""Directory of the simulated cluster, and of all that commands keep for it."""

CHARTS_KEY = f"{PROJECT}:charts"


@dataclass(frozen=True)
class Target:
    """A cluster to deploy to, and the stack file that fits it."""

    kubeconfig: Path
    context: str | None
    stack: Stack
    simulated: bool

    @property
    def description(self) -> str:
        where = "the simulated cluster" if self.simulated else "the cluster"
        return f"{where} of {self.shown_kubeconfig}"

    @property
    def shown_kubeconfig(self) -> str:
        """As a person in the project's folder would write it."""
        inside = self.kubeconfig.resolve().is_relative_to(Path.cwd())
        return os.path.relpath(self.kubeconfig) if inside else str(self.kubeconfig)

    @property
    def cluster(self) -> Cluster:
        """The cluster, reached with kubectl and helm."""
        return Cluster(self.kubeconfig, self._tool("kubectl"), self._tool("helm"), self.context)

    def _tool(self, name: str) -> str:
        return str(SimulatedCluster(SIMULATION).tools / name) if self.simulated else name

    def enter(self) -> None:
        """Let the tools and the program of this process find the cluster."""
        os.environ["KUBECONFIG"] = str(self.kubeconfig.resolve())
        if self.simulated:
            tools = str(SimulatedCluster(SIMULATION).tools)
            os.environ["PATH"] = tools + os.pathsep + os.environ["PATH"]


def is_simulated(stack: Stack) -> bool:
    """Whether a stack goes to the simulated cluster.

    Stack `local` always does; any other does unless a cluster is named, by $KUBECONFIG or by
    kubernetes:kubeconfig or kubernetes:context in its file. What ~/.kube/config happens to point
    at is never deployed to.
    """
    config = stack.document()["config"]
    named = os.environ.get("KUBECONFIG") or any(
        key in config for key in ("kubernetes:kubeconfig", "kubernetes:context")
    )
    return stack.name == LOCAL or not named


def find(stack: Stack, charts: tuple[Path, ...] = ()) -> Target:
    """The target of a stack; the simulated cluster is started if it is to be that, and has these
    charts beside its own."""
    if is_simulated(stack):
        cluster = SimulatedCluster(SIMULATION)
        cluster.start()
        for chart in charts:
            copy_tree(chart, cluster.charts / chart.name)
        return Target(cluster.kubeconfig, None, _with_local_charts(stack, cluster), simulated=True)
    config = stack.document()["config"]
    default = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    given = config.get("kubernetes:kubeconfig", default)
    if not isinstance(given, str) or "\n" in given or os.pathsep in given:
        raise CommandError(
            "these commands need one kubeconfig file: set KUBECONFIG to its path, and "
            "kubernetes:context in the stack file; or run `pulumi up`, which takes the content of "
            "a kubeconfig as well"
        )
    kubeconfig = Path(given)
    if not kubeconfig.is_file():
        raise CommandError(f"there is no kubeconfig {kubeconfig}; check $KUBECONFIG")
    return Target(kubeconfig, config.get("kubernetes:context"), stack, simulated=False)


def _with_local_charts(stack: Stack, cluster: SimulatedCluster) -> Stack:
    """The stack as it is, but with the simulated cluster's charts, in a file of its own."""
    document = stack.document()
    charts = os.path.relpath(cluster.charts)
    document["config"] = document["config"] | {CHARTS_KEY: charts}
    file = SIMULATION / "pulumi" / f"Pulumi.{stack.name}.yaml"
    file.parent.mkdir(exist_ok=True)
    text = yaml.safe_dump(document, sort_keys=False)
    if not file.is_file() or yaml.safe_load(file.read_text()).get("config") != document["config"]:
        file.write_text(text)
    return Stack(stack.name, file)
