"""vLLM: an OpenAI-compatible server (https://docs.vllm.ai)."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from components.model.memory import Demand, DType, ModelProfile
from components.model.runtimes.base import HOME_DIRECTORY, MODELS_DIRECTORY, Launch, Runtime
from components.types import Fraction, HubId, Image, Port, Tokens, UrlPath

_WARM_UP_SCRIPT = """\
import json, os, urllib.request as u
key = os.environ.get("VLLM_API_KEY", "")
body = json.dumps({{"model": {name}, "prompt": "Hi", "max_tokens": 1}}).encode()
headers = {{"Content-Type": "application/json", "Authorization": "Bearer " + key}}
u.urlopen(u.Request("http://127.0.0.1:{port}/v1/completions", body, headers), timeout=8).read()
"""


class VllmRuntime(Runtime):
    """vLLM's own image, OpenAI API on port 8000."""

    queue_metric: ClassVar[str | None] = "vllm:num_requests_waiting"
    first_token_metric: ClassVar[str | None] = "vllm:time_to_first_token_seconds"  # noqa: S105
    inter_token_metric: ClassVar[str | None] = "vllm:inter_token_latency_seconds"  # noqa: S105
    metrics_path: ClassVar[str | None] = "/metrics"
    public_paths: ClassVar[tuple[str, ...]] = ("/v1/*",)

    kind: Literal["vllm"] = "vllm"
    image: Image = "vllm/vllm-openai:v0.32.0"
    port: Port = 8000
    model: HubId | None = None
    """Hugging Face id of a model without a preset; its memory is then not checked."""
    dtype: DType | None = None
    """Default: the preset's, or vLLM's choice."""
    max_length: Tokens | None = None
    """Context length in tokens. Default: the preset's, or the model's own."""
    max_sequences: Annotated[int, Field(ge=1, le=4096, strict=True)] = 32
    """Sequences generated at once; more wait in the queue. Sized against GPU memory at the full
    context length, so that a full house does not evict sequences and compute them again."""
    gpu_memory_utilization: Fraction = 0.9
    """Part of each GPU's memory that vLLM may take."""
    warm_up_request: bool = True
    """Become ready only after a first token, so that no user waits for compilation."""

    @property
    def health(self) -> UrlPath:
        return "/health"

    @property
    def sequences(self) -> int:
        return self.max_sequences

    def demand(self, profile: ModelProfile, gpus: int) -> Demand:
        """The GPU memory that these settings take."""
        return Demand(
            profile,
            max_length=self.max_length or profile.max_length,
            sequences=self.max_sequences,
            gpus=gpus,
            utilization=self.gpu_memory_utilization,
        )

    def command(self, launch: Launch) -> dict[str, Any]:
        profile = launch.profile
        dtype = self.dtype or (profile.dtype if profile else None)
        max_length = self.max_length or (profile.max_length if profile else None)
        optional = {
            "--dtype": dtype,
            "--max-model-len": max_length,
            "--tensor-parallel-size": launch.gpus if launch.gpus > 1 else None,
            "--otlp-traces-endpoint": launch.traces_endpoint,
            # max_new_tokens here is a limit for every request, not only a default:
            # https://docs.vllm.ai/en/latest/configuration/engine_args/
            "--override-generation-config": (
                json.dumps(launch.generation, sort_keys=True) if launch.generation else None
            ),
        }
        arguments = [
            launch.weights,
            f"--served-model-name={launch.name}",
            f"--port={self.port}",
            f"--max-num-seqs={self.max_sequences}",
            f"--gpu-memory-utilization={self.gpu_memory_utilization:g}",
            f"--shutdown-timeout={launch.drain_seconds}",
            *(f"{flag}={value}" for flag, value in optional.items() if value is not None),
            *(profile.arguments if profile else ()),
            *self.arguments,
        ]
        return {"command": ["vllm", "serve"], "args": arguments}

    def variables(self, launch: Launch) -> dict[str, str]:
        own = {
            "HF_HOME": MODELS_DIRECTORY,
            "HOME": HOME_DIRECTORY,
            # torch names its compile cache after the user, and an arbitrary uid has no name.
            "USER": "model",
            "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(launch.keep_alive_seconds),
            "VLLM_CACHE_ROOT": f"{HOME_DIRECTORY}/.cache/vllm",
            "VLLM_NO_USAGE_STATS": "1",
        }
        if launch.weights.startswith("/"):
            own["HF_HUB_OFFLINE"] = "1"
        if launch.traces_endpoint:
            own |= {"OTEL_SERVICE_NAME": launch.name, "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true"}
        return own | self.environment

    def api_key_variable(self) -> str:
        return "VLLM_API_KEY"

    def warm_up(self, launch: Launch) -> dict[str, Any]:
        if not self.warm_up_request:
            return {"httpGet": {"path": self.health, "port": "http"}}
        script = _WARM_UP_SCRIPT.format(name=json.dumps(launch.name), port=self.port)
        return {"exec": {"command": ["python3", "-c", script]}}
