"""Which stack the simulated cluster holds: one at a time, by one engine.

A mesh has one control plane a cluster, and an object has one owner: a second stack, or the same
one by another engine, would run into what is there. So another stack gets a new cluster.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.stack import CommandError
from cli.target import SIMULATION

FILE = SIMULATION / "holder.json"


@dataclass(frozen=True)
class Holder:
    """A stack and the engine that deployed it."""

    stack: str
    engine: str

    @classmethod
    def find(cls, file: Path = FILE) -> Holder | None:
        return cls(**json.loads(file.read_text())) if file.is_file() else None

    def engine_for(self, wanted: str) -> str:
        """The engine to go on with. Raises CommandError where another one is asked for."""
        if wanted not in ("auto", self.engine):
            raise CommandError(
                f"stack {self.stack} was deployed by the engine {self.engine}; go on with "
                f"ENGINE={self.engine}, or start anew with `make down`"
            )
        return self.engine

    def save(self, file: Path = FILE) -> None:
        file.write_text(json.dumps(asdict(self)))
