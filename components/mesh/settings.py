"""What the settings of every mesh have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from components.model.settings import ModelSettings
from components.settings import Problem, Settings


class BaseMeshSettings(Settings):
    """The part of a mesh's settings that is the same for all, and is no user's to set."""

    proxy_ports: ClassVar[frozenset[int]]
    """Ports that no server in a meshed pod can have."""
    default_prometheus: ClassVar[str]
    """Where the mesh's own documentation installs Prometheus."""

    def model_problems(self, model: ModelSettings) -> Iterator[Problem]:
        """What the mesh has against a model's settings, beside the features that it lacks."""
        if model.runtime.port in self.proxy_ports:
            yield Problem(
                ("runtime", "port"),
                f"port {model.runtime.port} is the mesh proxy's own; use another, such as 8000",
            )
