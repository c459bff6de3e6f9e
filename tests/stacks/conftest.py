from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.cluster import Cluster
from gitops.engine import HelmAndKubectl
from simcluster.cluster import SimulatedCluster
from stacks.schema import PREFIX
from tests.stacks.files import PROGRAM, ROOT

AMBIENT = {"kind": "istio", "dataPlane": "ambient"}


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file that holds a certificate, or a key."""
    path: Path = tmp_path_factory.mktemp("tls") / "tls.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    return str(path)


@pytest.fixture
def unreachable(tmp_path: Path) -> Path:
    """A kubeconfig of a cluster that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gone",
        "clusters": [{"name": "gone", "cluster": {"server": f"https://127.0.0.1:{port}"}}],
        "users": [{"name": "gone", "user": {"token": "x"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "gone"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@dataclass
class Site:
    """The stack `local` on a simulated cluster, as `make up` deploys it."""

    simulated: SimulatedCluster
    stack: Path
    own: dict[str, Any] = field(default_factory=dict)
    """What its stack file says otherwise than that of `local`."""
    said: list[str] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        tools = self.simulated.tools
        return Cluster(self.simulated.kubeconfig, str(tools / "kubectl"), str(tools / "helm"))

    def up(self, **settings: Any) -> None:
        """Deploy it with these settings in place of its own."""
        document = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())
        certificate, key = map(str, self.simulated.certificate)
        gateway = document["config"][f"{PREFIX}gateway"]
        gateway["tls"] = {"certificateFile": certificate, "keyFile": key}
        settings = {"charts": str(self.simulated.charts), "gateway": gateway} | self.own | settings
        document["config"] |= {f"{PREFIX}{name}": value for name, value in settings.items()}
        self.stack.write_text(yaml.safe_dump(document))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", str(self.simulated.kubeconfig))
            patch.setenv("PATH", f"{self.simulated.tools}{os.pathsep}{os.environ['PATH']}")
            HelmAndKubectl(PROGRAM, self.cluster, self.said.append).up(self.stack)

    def get(self, kind: str, *arguments: str) -> Any:
        return self.cluster.get(kind, *arguments)

    def await_replicas(self) -> None:
        """Wait for the second replica, which the autoscaler adds last."""
        minimum = "--for=jsonpath={.status.availableReplicas}=2"
        deployment = ("deployment/deepseek-r1-1.5b", "--namespace=ai-inference")
        self.cluster.check(self.cluster.run_kubectl("wait", minimum, *deployment, "--timeout=60s"))


@pytest.fixture(scope="session")
def site(cluster: SimulatedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(cluster, tmp_path_factory.mktemp("site") / "Pulumi.local.yaml")
    made.up()
    made.await_replicas()
    yield made


@pytest.fixture(scope="session")
def ambient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same stack in ambient mode, on a cluster of its own: a mesh cannot be there twice."""
    folder = tmp_path_factory.mktemp("ambient")
    simulated = SimulatedCluster(folder / ".sim")
    try:
        simulated.start()
        made = Site(simulated, folder / "Pulumi.local.yaml", {"mesh": AMBIENT})
        made.up()
        made.await_replicas()
        yield made
    finally:
        simulated.stop()
