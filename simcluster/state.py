"""What a simulated cluster knows of itself, kept in one file of its directory."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from simcluster import processes

PORTS = (
    "etcd",
    "etcd_peer",
    "apiserver",
    "controller_manager",
    "scheduler",
    "kwok",
    "istiod_https",
    "istiod_http",
    "istiod_grpc",
    "istiod_secure_grpc",
    "istiod_monitoring",
    "istiod_ctrlz",
)


@dataclass(frozen=True)
class State:
    """`ports` are all on 127.0.0.1; `complete` is true once the cluster was made to the end."""

    name: str
    ports: dict[str, int]
    nodes: str = ""
    complete: bool = False

    @classmethod
    def new(cls, directory: Path) -> State:
        """A cluster for `directory`, with a name from its path and ports that are free now."""
        words = re.sub(r"[^a-z0-9]+", "-", directory.parent.name.lower()).strip("-")[:20]
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:6]
        ports = processes.free_ports(len(PORTS))
        return cls(f"sim-{words or 'cluster'}-{digest}", dict(zip(PORTS, ports, strict=True)))

    @classmethod
    def load(cls, directory: Path) -> State | None:
        """The state of the cluster in `directory`, or None where there is none to trust."""
        try:
            state = cls(**json.loads(file(directory).read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return state if set(PORTS) <= state.ports.keys() else None

    def save(self, directory: Path) -> None:
        scratch = file(directory).with_suffix(".new")
        scratch.write_text(json.dumps(asdict(self), indent=2) + "\n")
        scratch.replace(file(directory))

    def completed(self, nodes: str) -> State:
        """This state, made to the end with the nodes whose description is `nodes`."""
        return replace(self, nodes=nodes, complete=True)


def file(directory: Path) -> Path:
    """The file that makes a directory one of a simulated cluster."""
    return directory / "simcluster.json"
