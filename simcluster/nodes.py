"""The simulated nodes: their shapes in a small file, and the Node objects made from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simcluster.reporting import SimulationError

NODES_FILE = Path(__file__).with_name("nodes.yaml")
SHAPE = "simcluster.dev/shape"
"""Annotation with a hash of what the node was made from."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$", examples=["l4"])]
Quantity = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$", examples=["64Gi"])]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gpu(_Model):
    """The GPUs of one node; `memory` is of each GPU, in MiB."""

    product: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")]
    count: Annotated[int, Field(ge=1, le=16)]
    memory: Annotated[int, Field(ge=1024)]


class Pool(_Model):
    """Nodes of one shape, named `<name>-0` and up, spread evenly over the zones."""

    name: Name
    count: Annotated[int, Field(ge=0, le=15_000)]
    instanceType: str  # noqa: N815 - the file speaks like Kubernetes
    cpu: Annotated[int, Field(ge=1)]
    memory: Quantity
    pods: Annotated[int, Field(ge=1)] = 110
    gpu: Gpu | None = None

    def __str__(self) -> str:
        gpu = f" {self.gpu.count} x {self.gpu.product}" if self.gpu else ""
        return f"{self.count} {self.name}{gpu}"


class Nodes(_Model):
    """All nodes of a simulated cluster."""

    zones: Annotated[tuple[Name, ...], Field(min_length=1)]
    pools: Annotated[tuple[Pool, ...], Field(min_length=1)]

    def __str__(self) -> str:
        return ", ".join(map(str, self.pools))

    def manifests(self, kubelet: str) -> list[dict[str, Any]]:
        """The Node objects; `kubelet` is the version they report, such as `v1.36.3`."""
        return [
            _manifest(pool, index, self.zones[index % len(self.zones)], kubelet)
            for pool in self.pools
            for index in range(pool.count)
        ]


def load(path: Path = NODES_FILE) -> Nodes:
    """Read a nodes file; everything wrong with it is reported at once."""
    try:
        return Nodes.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise SimulationError(f"cannot read the nodes file {path}: {error}") from None
    except ValidationError as error:
        problems = [
            f"  {'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise SimulationError("\n".join([f"{path} is not a nodes file:", *problems])) from None


def _manifest(pool: Pool, index: int, zone: str, kubelet: str) -> dict[str, Any]:
    name = f"{pool.name}-{index}"
    capacity = {"cpu": str(pool.cpu), "memory": pool.memory, "pods": str(pool.pods)}
    labels = {
        # The old names of two labels too, else the controller manager adds them to each node.
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": pool.instanceType,
        "topology.kubernetes.io/region": "sim",
        "topology.kubernetes.io/zone": zone,
    }
    spec: dict[str, Any] = {}
    if gpu := pool.gpu:
        capacity["nvidia.com/gpu"] = str(gpu.count)
        labels |= {
            "nvidia.com/gpu.present": "true",
            "nvidia.com/gpu.product": gpu.product,
            "nvidia.com/gpu.count": str(gpu.count),
            "nvidia.com/gpu.memory": str(gpu.memory),
        }
        taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
        spec["taints"] = [taint]
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": spec,
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [{"type": "Hostname", "address": name}],
            # Ready from the start: nothing has to boot, and kwok has one write less for each.
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "nodeInfo": _node_info(kubelet),
            "phase": "Running",
        },
    }
    shape = hashlib.sha256(json.dumps(node, sort_keys=True).encode()).hexdigest()[:16]
    node["metadata"]["annotations"][SHAPE] = shape  # type: ignore[index]
    return node


def _node_info(kubelet: str) -> dict[str, str]:
    """What a kubelet reports; istiod reads its version to decide on native sidecars."""
    unknown = ("bootID", "kernelVersion", "kubeProxyVersion", "machineID", "osImage", "systemUUID")
    return dict.fromkeys(unknown, "") | {
        "architecture": "amd64",
        "containerRuntimeVersion": "kwok",
        "kubeletVersion": kubelet,
        "operatingSystem": "linux",
    }
