"""One simulated cluster, in one directory: start it, look at it, stop it."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from simcluster import (
    certificate,
    charts,
    furniture,
    istio_charts,
    istiod,
    nodes,
    processes,
    supervisor,
    toolchain,
)
from simcluster.api import Api
from simcluster.controlplane import ControlPlane
from simcluster.crds import CRDS
from simcluster.reporting import SimulationError, say
from simcluster.state import State, file


@dataclass(frozen=True)
class SimulatedCluster:
    """The cluster whose files are in `directory`, with the nodes of the file `nodes_file`.

    What goes wrong is a `SimulationError` with a message for the user.
    """

    directory: Path = Path(".sim")
    nodes_file: Path = nodes.NODES_FILE

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", self.directory.resolve())

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def charts(self) -> Path:
        """The folder with this cluster's charts, one folder a chart."""
        return self.directory / "charts"

    @property
    def certificate(self) -> tuple[Path, Path]:
        """A self-signed certificate and its key, for a gateway on this machine."""
        return self.directory / "tls" / "tls.crt", self.directory / "tls" / "tls.key"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def ports(self) -> dict[str, int]:
        """Ports on 127.0.0.1 by name, such as `istiod_grpc` (plain xDS) and `istiod_http`."""
        return self._state().ports

    def api(self) -> Api:
        """A client of the API server, as an admin."""
        return ControlPlane(self.directory, self._state()).api()

    @property
    def tools(self) -> Path:
        """The folder with kubectl, helm and the other tools; what is missing is built."""
        return toolchain.bin_dir()

    def start(self) -> None:
        """Start the cluster, or mend what is not running; returns at once where all is well."""
        shapes = nodes.load(self.nodes_file)
        toolchain.bin_dir()
        with self._locked():
            state = State.load(self.directory)
            if state is None or not state.complete:
                state = self._create()
            elif not self.is_running():
                state = self._repair(state)
            description = shapes.model_dump_json()
            if state.nodes != description:
                say(f"nodes: {shapes}")
                furniture.apply_nodes(ControlPlane(self.directory, state), shapes)
                state.completed(description).save(self.directory)

    def stop(self) -> None:
        """End every process and remove every file; fine where there is nothing."""
        with self._locked():
            self._clear()

    def is_running(self) -> bool:
        """Whether every process of the cluster runs."""
        running = set(processes.find(self.directory).values())
        return running >= processes.CONTROL_PLANE | {processes.SUPERVISOR}

    def status(self) -> str:
        """What there is, in a few lines for a person."""
        running = set(processes.find(self.directory).values())
        if not running:
            return f"no simulated cluster runs in {self.directory}"
        state = self._state()
        missing = sorted((processes.CONTROL_PLANE | {processes.SUPERVISOR}) - running)
        health = f"not running: {', '.join(missing)} (up mends it)" if missing else "running"
        shapes = nodes.Nodes.model_validate_json(state.nodes) if state.nodes else "none"
        serving = "serving" if istiod.is_ready(state.ports) else "not serving, or not deployed"
        return "\n".join(
            [
                f"cluster     {state.name}, Kubernetes {furniture.kubernetes_version()}, {health}",
                f"nodes       {shapes}",
                f"istiod      {serving}",
                f"stand-ins   {stand_ins()}",
                f"charts      {self.charts} (Istio {istio_charts.istio_version()})",
                f"logs        {self.logs}",
                f"kubeconfig  {self.kubeconfig}",
            ]
        )

    def log(self, name: str) -> Path:
        """The log of one process, such as `istiod` or `kube-apiserver`."""
        file = self.logs / f"{name}.log"
        if not file.exists():
            names = ", ".join(sorted(path.stem for path in self.logs.glob("*.log")))
            raise SimulationError(f"no log {name} in {self.logs}; there is: {names or 'none'}")
        return file

    def _create(self) -> State:
        self._clear()
        try:
            self.directory.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise SimulationError(f"the cluster needs a directory of its own: {error}") from None
        state = State.new(self.directory)
        state.save(self.directory)
        plane = ControlPlane(self.directory, state)
        say(f"starting Kubernetes {furniture.kubernetes_version()} ...")
        plane.create()
        say(f"installing {stand_ins()} ...")
        furniture.install(plane, self.tools / "kubectl")
        certificate.write(self.directory / "tls")
        charts.prepare(self.charts, state.ports["istiod_https"])
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(plane.kubeconfig())
        supervisor.start(self.directory)
        return state

    def _repair(self, state: State) -> State:
        say("some processes of the cluster are not running; starting them ...")
        plane = ControlPlane(self.directory, state)
        try:
            plane.repair()
        except SimulationError as error:
            say(f"that failed, so the cluster is made anew: {error}")
            return self._create()
        if processes.SUPERVISOR not in processes.find(self.directory).values():
            supervisor.start(self.directory)
        with plane.api() as api:
            supervisor.wait(api, state.ports)
        return state

    def _clear(self) -> None:
        known = not self.directory.exists() or file(self.directory).exists()
        if not known and any(self.directory.iterdir()):
            raise SimulationError(
                f"{self.directory} holds files that are not of a simulated cluster, "
                "and is left as it is; choose another directory"
            )
        processes.kill(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _state(self) -> State:
        state = State.load(self.directory)
        if state is None:
            raise SimulationError(
                f"there is no simulated cluster in {self.directory}; `up` starts one"
            )
        return state

    def _locked(self) -> AbstractContextManager[None]:
        digest = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        return toolchain.locked(f"cluster-{digest}")


def stand_ins() -> str:
    """What is not the real thing, named for the user."""
    return f"{', '.join(map(str, CRDS))} (CRDs only, no controller)"
