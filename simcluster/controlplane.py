"""The control plane: etcd, API server, controller manager, scheduler and kwok, run by kwokctl."""

from __future__ import annotations

import base64
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from simcluster import processes, stages, toolchain
from simcluster.api import Api, ApiError
from simcluster.reporting import SimulationError
from simcluster.state import State

PODS = "10.244.0.1/16"
SERVICES = "10.96.0.0/16"
ADVERTISED = "192.0.2.1"
"""An address for documentation (RFC 5737): the API server wants one even where no network is."""


class ControlPlane:
    """The processes that kwokctl runs for the cluster in `directory`."""

    def __init__(self, directory: Path, state: State) -> None:
        self.directory = directory
        self.state = state
        self.workdir = directory / "kwok" / "clusters" / state.name
        self.pki = self.workdir / "pki"

    def api(self) -> Api:
        """A client of its own for each caller, as an admin."""
        return Api(self.state.ports["apiserver"], self.pki)

    def create(self) -> None:
        """Make the cluster from nothing and start it."""
        logs = self.directory / "logs"
        logs.mkdir(exist_ok=True)
        self.workdir.mkdir(parents=True, exist_ok=True)
        (self.workdir / "logs").symlink_to(logs)
        config = self.directory / "kwokctl.yaml"
        tools, kwok_stages = toolchain.bin_dir(), toolchain.source_dir(toolchain.STAGES)
        documents = [configuration(self.state.ports, tools), *stages.stages(kwok_stages)]
        config.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        # Leases would keep a kwok that starts after a crash from the nodes of the one before.
        no_leases = "--node-lease-duration-seconds=0"
        self._kwokctl("create", "cluster", "--config", str(config), no_leases)
        self.wait()

    def repair(self) -> None:
        """Start what is not running; what was stored in etcd is still there."""
        # A process that was killed a moment ago may still look alive.
        time.sleep(0.3)
        alive = {str(pid) for pid in processes.find(self.directory)}
        for file in (self.workdir / "pids").glob("*.pid"):
            if file.read_text() not in alive:
                file.unlink()
        self._kwokctl("start", "cluster")
        self.wait()

    def is_running(self) -> bool:
        return set(processes.find(self.directory).values()) >= processes.CONTROL_PLANE

    def wait(self, seconds: float = 60) -> None:
        """Wait until the API server is ready and the controllers work."""
        deadline = time.monotonic() + seconds
        with self.api() as api:
            while True:
                try:
                    api.get("/readyz")
                    api.get("/api/v1/namespaces/default/serviceaccounts/default")
                    return
                except (OSError, ApiError) as error:
                    if time.monotonic() > deadline:
                        raise SimulationError(
                            f"the control plane is not ready after {seconds:g} s ({error}); "
                            f"its logs are in {self.directory / 'logs'}"
                        ) from None
                time.sleep(0.05)

    def kubeconfig(self) -> str:
        """A kubeconfig that needs no other file."""

        def data(name: str) -> str:
            return base64.b64encode((self.pki / name).read_bytes()).decode()

        name = self.state.name
        server = f"https://127.0.0.1:{self.state.ports['apiserver']}"
        user = {
            "client-certificate-data": data("admin.crt"),
            "client-key-data": data("admin.key"),
        }
        cluster = {"server": server, "certificate-authority-data": data("ca.crt")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
        return yaml.safe_dump(config, sort_keys=False)

    def _kwokctl(self, *arguments: str) -> None:
        tools = toolchain.bin_dir()
        environment = {
            **{name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ},
            "KWOK_WORKDIR": str(self.directory / "kwok"),
            # kwokctl adds every cluster to a kubeconfig; the user's own is not ours to change.
            "KUBECONFIG": str(self.directory / "kwok" / "kubeconfig"),
            "PATH": f"{tools}:{os.environ.get('PATH', os.defpath)}",
        }
        log = self.directory / "logs" / "kwokctl.log"
        with log.open("a") as output:
            answer = subprocess.run(
                [tools / "kwokctl", *arguments, "--name", self.state.name],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        if answer.returncode:
            last = (log.read_text().strip().splitlines() or ["no output"])[-1]
            raise SimulationError(f"kwokctl {arguments[0]} failed: {last} (see {log.parent})")


def configuration(ports: dict[str, int], tools: Path) -> dict[str, Any]:
    """The configuration of kwokctl: our binaries and ports, on this machine alone.

    Nodes may be silent for an hour, so that a thousand idle ones cost nothing; etcd does not wait
    for the disk, as what it wrote outlives a killed process anyway.
    """
    patches = {
        "etcd": {"unsafe-no-fsync": "true"},
        "kube-apiserver": {
            "service-cluster-ip-range": SERVICES,
            "advertise-address": ADVERTISED,
        },
        # There is one of each: one that starts after a crash need not wait for a lease to end.
        "kube-controller-manager": {
            "leader-elect": "false",
            "controllers": "*,-ttl-controller",
            # Autoscalers act within 2 s instead of 15, so that what `up` shows is the final state.
            "horizontal-pod-autoscaler-sync-period": "2s",
        },
        "kube-scheduler": {"leader-elect": "false"},
        "kwok-controller": {"cidr": PODS},
    }
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "kubeAuthorization": True,
            "kubeAdmission": True,
            "disableQPSLimits": True,
            "kubeControllerManagerNodeMonitorGracePeriodMilliseconds": 3_600_000,
            "etcdPort": ports["etcd"],
            "etcdPeerPort": ports["etcd_peer"],
            "kubeApiserverPort": ports["apiserver"],
            "kubeControllerManagerPort": ports["controller_manager"],
            "kubeSchedulerPort": ports["scheduler"],
            "kwokControllerPort": ports["kwok"],
            "etcdBinary": str(tools / "etcd"),
            "kubeApiserverBinary": str(tools / "kube-apiserver"),
            "kubeControllerManagerBinary": str(tools / "kube-controller-manager"),
            "kubeSchedulerBinary": str(tools / "kube-scheduler"),
            "kubectlBinary": str(tools / "kubectl"),
            "kwokControllerBinary": str(tools / "kwok"),
        },
        "componentsPatches": [
            {
                "name": name,
                "extraArgs": [{"key": key, "value": value} for key, value in extra.items()],
            }
            for name, extra in patches.items()
        ],
    }
