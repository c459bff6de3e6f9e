from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from components.model.runtimes.vllm import VllmRuntime
from tests.components.samples import NAME, PRESET, model


def arguments(name: str = NAME, traces_endpoint: str | None = None, **settings: Any) -> list[str]:
    wanted = model(name, traces_endpoint, **settings)
    return list(wanted.settings.runtime.command(wanted.stable.launch)["args"])


def variables(traces_endpoint: str | None = None, **settings: Any) -> dict[str, str]:
    wanted = model(NAME, traces_endpoint, **settings)
    return wanted.settings.runtime.variables(wanted.stable.launch)


def test_default_configuration_serves_the_preset_under_the_models_name() -> None:
    assert arguments() == [
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        f"--served-model-name={NAME}",
        "--port=8000",
        "--max-num-seqs=32",
        "--gpu-memory-utilization=0.9",
        "--shutdown-timeout=160",
        "--dtype=bfloat16",
        "--max-model-len=8192",
        '--override-generation-config={"temperature": 0.6, "top_p": 0.95}',
        "--reasoning-parser=deepseek_r1",
    ]


def test_the_presets_of_a_model_can_be_overridden() -> None:
    runtime = {"kind": "vllm", "dtype": "float16", "maxLength": 2048, "maxSequences": 8}
    given = arguments(runtime=runtime)
    assert {"--dtype=float16", "--max-model-len=2048", "--max-num-seqs=8"} <= set(given)
    assert "--dtype=bfloat16" not in given


def test_generation_is_capped_on_the_server() -> None:
    (config,) = [
        text.partition("=")[2]
        for text in arguments(generation={"maxTokens": 2048})
        if text.startswith("--override-generation-config=")
    ]
    assert json.loads(config)["max_new_tokens"] == 2048


def test_several_gpus_share_a_model() -> None:
    assert "--tensor-parallel-size=4" in arguments(gpu={"count": 4})
    assert not any("tensor-parallel" in text for text in arguments())


def test_arguments_of_the_user_come_last_and_so_win() -> None:
    runtime = {"kind": "vllm", "arguments": ["--max-num-seqs=1"]}
    assert arguments(runtime=runtime)[-1] == "--max-num-seqs=1"


def test_a_model_without_a_preset_leaves_type_and_length_to_vllm() -> None:
    given = arguments(preset=None, runtime={"kind": "vllm", "model": "example/model"})
    assert given[0] == "example/model"
    assert not any(text.startswith(("--dtype", "--max-model-len", "--over")) for text in given)


def test_weights_that_are_there_are_not_looked_for_in_the_hub() -> None:
    image = {"kind": "image", "image": "registry.example.com/weights:v1"}
    assert variables(cache=image)["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in variables()


def test_downloads_and_compile_caches_go_where_the_user_may_write() -> None:
    own = variables()
    assert own["HF_HOME"] == "/models"
    assert own["VLLM_CACHE_ROOT"].startswith(own["HOME"])


def test_connections_are_kept_longer_than_the_proxies_keep_them() -> None:
    traffic = {"timeouts": {"idle": "10m"}}
    assert variables(traffic=traffic)["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] == "660"


def test_spans_go_to_the_collector() -> None:
    endpoint = "http://otel.observability:4317"
    assert f"--otlp-traces-endpoint={endpoint}" in arguments(traces_endpoint=endpoint)
    assert variables(endpoint)["OTEL_SERVICE_NAME"] == NAME
    assert not any("otlp" in text for text in arguments())


def test_memory_is_sized_by_what_the_server_is_told() -> None:
    runtime = VllmRuntime(max_length=1024, max_sequences=8)
    profile = model().profile
    assert profile is not None
    demand = runtime.demand(profile, gpus=2)
    assert (demand.max_length, demand.sequences, demand.gpus) == (1024, 8, 2)
    assert VllmRuntime().demand(profile, 1).max_length == profile.max_length


class Server(BaseHTTPRequestHandler):
    """Answers a completion, or what the class attribute says."""

    status = 200
    seen: list[tuple[str, str | None, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    Server.seen, Server.status = [], 200
    with HTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=[0.01])
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def warm_up(port: int, environment: dict[str, str] | None = None, name: str = NAME) -> int:
    """Run the startup probe's command, as the kubelet would."""
    wanted = model(name, runtime={"kind": "vllm", "port": port}, preset=PRESET)
    program, *rest = wanted.settings.runtime.warm_up(wanted.stable.launch)["exec"]["command"]
    assert program == "python3"
    done = subprocess.run([sys.executable, *rest], env=environment or {}, capture_output=True)
    return done.returncode


def test_a_server_is_ready_only_after_a_first_token(server: HTTPServer) -> None:
    assert warm_up(server.server_port) == 0
    body = {"model": NAME, "prompt": "Hi", "max_tokens": 1}
    assert [(path, asked) for path, _, asked in Server.seen] == [("/v1/completions", body)]


def test_the_warm_up_has_the_key_that_the_server_asks_for(server: HTTPServer) -> None:
    assert warm_up(server.server_port, {"VLLM_API_KEY": "k3y"}) == 0
    assert Server.seen[0][1] == "Bearer k3y"


@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_server_that_cannot_generate_is_not_ready(server: HTTPServer, status: int) -> None:
    Server.status = status
    assert warm_up(server.server_port) != 0


def test_a_server_that_does_not_listen_is_not_ready(server: HTTPServer) -> None:
    port = server.server_port
    server.shutdown()
    server.server_close()
    assert warm_up(port) != 0


def test_the_warm_up_request_can_be_left_out() -> None:
    runtime = VllmRuntime(warm_up_request=False)
    assert runtime.warm_up(model().stable.launch) == {
        "httpGet": {"path": "/health", "port": "http"}
    }
