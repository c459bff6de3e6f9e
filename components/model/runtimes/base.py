"""What a model server's runtime has to say about its container, whatever it runs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from components.model.memory import ModelProfile
from components.settings import Settings
from components.types import EnvName, Image, Port, UrlPath

CONTAINER = "model"
"""Name of the model server's container in its pod."""

MODELS_DIRECTORY = "/models"
"""Where the cache of weights is mounted."""

HOME_DIRECTORY = "/home/model"
"""A writable home for compile caches; the image's own file system stays untouched."""


@dataclass(frozen=True)
class Launch:
    """What a server has to be started with, beyond its runtime's own settings."""

    name: str
    """The model's name, by which callers ask for it."""
    profile: ModelProfile | None
    weights: str
    """Path or Hugging Face id of the weights."""
    generation: dict[str, float | int] = field(default_factory=dict)
    """Server-side defaults by their names in `generation_config.json`."""
    gpus: int = 1
    drain_seconds: int = 0
    """Time for running generations to finish after SIGTERM."""
    keep_alive_seconds: int = 360
    """How long the server keeps an idle connection: longer than the proxies, or a request meets a
    connection that is just being closed."""
    traces_endpoint: str | None = None
    """OTLP/gRPC endpoint of the trace collector, as a URL."""


class Runtime(Settings):
    """The software in the model container. One subclass a kind, each in a file of its own."""

    queue_metric: ClassVar[str | None] = None
    """Prometheus gauge of waiting requests, if the runtime has one."""
    first_token_metric: ClassVar[str | None] = None
    """Prometheus histogram of the seconds to the first token, if the runtime has one."""
    inter_token_metric: ClassVar[str | None] = None
    """Prometheus histogram of the seconds between tokens, if the runtime has one."""
    metrics_path: ClassVar[str | None] = None
    """Path of the Prometheus metrics on the serving port, if the runtime has them."""

    public_paths: ClassVar[tuple[str, ...]] = ()
    """Paths meant for users rather than for operators; empty for all."""

    image: Image
    port: Port
    user: int = Field(default=1000, ge=1, le=2**31 - 1, strict=True)
    """Numeric user and group of the container; never root."""
    arguments: tuple[str, ...] = ()
    """Added after the arguments that the settings make."""
    environment: dict[EnvName, str] = Field(default_factory=dict)

    @property
    def sequences(self) -> int | None:
        """Requests that the server works on at once; None where it does not say."""
        return None

    @property
    @abstractmethod
    def health(self) -> UrlPath:
        """Path that answers 200 once the server can serve."""

    @abstractmethod
    def command(self, launch: Launch) -> dict[str, Any]:
        """The container's `command` and `args`."""

    @abstractmethod
    def variables(self, launch: Launch) -> dict[str, str]:
        """The container's environment."""

    def api_key_variable(self) -> str:
        """Environment variable from which the server takes its API key."""
        return "API_KEY"

    @abstractmethod
    def warm_up(self, launch: Launch) -> dict[str, Any]:
        """The check of the startup probe: it succeeds once the model is warm."""
