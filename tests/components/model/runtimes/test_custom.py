from __future__ import annotations

from typing import Any

from tests.components.samples import CUSTOM, NAME, model


def container(traces_endpoint: str | None = None, **runtime: Any) -> dict[str, Any]:
    wanted = model(
        NAME,
        traces_endpoint,
        runtime=CUSTOM | runtime,
        generation={"maxTokens": 2048, "temperature": 0.6, "topP": 0.95},
    )
    server = wanted.settings.runtime
    return {
        **server.command(wanted.stable.launch),
        "env": server.variables(wanted.stable.launch),
        "startup": server.warm_up(wanted.stable.launch),
        "ready": server.health,
    }


def test_default_configuration_serves_on_7860_with_healthz() -> None:
    assert container()["env"]["PORT"] == "7860"
    assert container()["ready"] == "/healthz"


def test_an_image_keeps_its_own_entry_point() -> None:
    assert not {"command", "args"} & container().keys()


def test_entry_point_and_arguments_can_be_replaced() -> None:
    replaced = container(commandLine=["python", "serve.py"], arguments=["--fast"])
    assert replaced["command"] == ["python", "serve.py"]
    assert replaced["args"] == ["--fast"]


def test_what_the_settings_say_reaches_the_image_by_its_environment() -> None:
    assert container()["env"] == {
        "HF_HOME": "/models",
        "HOME": "/home/model",
        "MODEL_NAME": NAME,
        "MODEL_PATH": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        "PORT": "7860",
        "SHUTDOWN_TIMEOUT": "160",
        "KEEP_ALIVE_TIMEOUT": "360",
        "DTYPE": "bfloat16",
        "MAX_NEW_TOKENS": "2048",
        "TEMPERATURE": "0.6",
        "TOP_P": "0.95",
    }


def test_the_environment_of_the_user_wins() -> None:
    assert container(environment={"TEMPERATURE": "0"})["env"]["TEMPERATURE"] == "0"


def test_spans_go_to_the_collector() -> None:
    endpoint = "http://otel.observability:4317"
    assert container(endpoint)["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == endpoint
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in container()["env"]


def test_a_load_is_over_when_the_warm_up_path_answers() -> None:
    assert container()["startup"]["httpGet"]["path"] == "/healthz"
    assert container(warmUpPath="/warm")["startup"]["httpGet"]["path"] == "/warm"


def test_it_has_no_metrics_of_its_own() -> None:
    runtime = model(runtime=CUSTOM).settings.runtime
    assert runtime.queue_metric is None
    assert runtime.metrics_path is None
