"""Any other model server, for example a Gradio or FastAPI application, by its port and paths."""

from __future__ import annotations

from typing import Any, Literal

from components.model.runtimes.base import HOME_DIRECTORY, MODELS_DIRECTORY, Launch, Runtime
from components.types import Port, UrlPath


class CustomRuntime(Runtime):
    """An image of your own.

    What the settings say reaches it as environment variables: MODEL_NAME, MODEL_PATH (weights),
    PORT, DTYPE (of the preset), SHUTDOWN_TIMEOUT (seconds for running requests after SIGTERM),
    KEEP_ALIVE_TIMEOUT (seconds to keep an idle connection), MAX_NEW_TOKENS, TEMPERATURE, TOP_P and
    the other generation settings in capitals, and API_KEY.
    """

    kind: Literal["custom"]
    port: Port = 7860
    health_path: UrlPath = "/healthz"
    """Answers 200, for example `{"status":"ok"}`, once the server can serve."""
    warm_up_path: UrlPath | None = None
    """Path that the startup probe calls instead: one that answers 200 after a first inference."""
    command_line: tuple[str, ...] = ()
    """Replaces the image's entry point."""

    @property
    def health(self) -> UrlPath:
        return self.health_path

    def command(self, _launch: Launch) -> dict[str, Any]:
        command = {"command": list(self.command_line)} if self.command_line else {}
        arguments = {"args": list(self.arguments)} if self.arguments else {}
        return command | arguments

    def variables(self, launch: Launch) -> dict[str, str]:
        own = {
            "HF_HOME": MODELS_DIRECTORY,
            "HOME": HOME_DIRECTORY,
            "MODEL_NAME": launch.name,
            "MODEL_PATH": launch.weights,
            "PORT": str(self.port),
            "SHUTDOWN_TIMEOUT": str(launch.drain_seconds),
            "KEEP_ALIVE_TIMEOUT": str(launch.keep_alive_seconds),
        }
        if launch.profile:
            own["DTYPE"] = launch.profile.dtype
        own |= {key.upper(): f"{value:g}" for key, value in launch.generation.items()}
        if launch.traces_endpoint:
            own |= {
                "OTEL_SERVICE_NAME": launch.name,
                "OTEL_EXPORTER_OTLP_ENDPOINT": launch.traces_endpoint,
            }
        return own | self.environment

    def warm_up(self, _launch: Launch) -> dict[str, Any]:
        return {"httpGet": {"path": self.warm_up_path or self.health_path, "port": "http"}}
