from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from tests.components.samples import linkerd, model

SERVICE = "deepseek-r1-1-5b"
CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}


def made(**settings: Any) -> dict[tuple[str, str], Manifest]:
    found = linkerd().route(model(**settings), None)
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


def rules(**settings: Any) -> list[dict[str, Any]]:
    return list(made(**settings)["HTTPRoute", SERVICE]["spec"]["rules"])


def shares(rule: dict[str, Any]) -> dict[str, float]:
    entries = {entry["name"]: entry["weight"] for entry in rule["backendRefs"]}
    return {name: weight / sum(entries.values()) for name, weight in entries.items()}


FAULT = {"traffic": {"fault": {"percent": 30, "abort": 503}}}


def test_without_a_fault_there_is_no_backend_of_errors() -> None:
    assert not any("fault" in name for _, name in made())


def test_a_share_of_the_requests_is_answered_by_a_backend_of_errors() -> None:
    (rule,) = rules(**FAULT)
    assert shares(rule) == {f"{SERVICE}-stable": 0.7, f"{SERVICE}-fault": 0.3}


def test_a_canary_keeps_its_share_of_the_rest() -> None:
    (rule,) = rules(canary=CANARY, **FAULT)
    assert shares(rule) == {
        f"{SERVICE}-stable": 0.63,
        f"{SERVICE}-canary": 0.07,
        f"{SERVICE}-fault": 0.3,
    }
    assert all(isinstance(entry["weight"], int) for entry in rule["backendRefs"])


def test_requests_that_are_pinned_to_a_version_are_disturbed_too() -> None:
    for rule in rules(canary=CANARY | {"headers": {"x-model-version": "canary"}}, **FAULT):
        assert shares(rule)[f"{SERVICE}-fault"] == 0.3


def test_only_requests_with_certain_headers_are_disturbed_where_asked() -> None:
    fault = {"percent": 100, "abort": 503, "headers": {"x-chaos": "yes"}}
    chosen, rest = rules(traffic={"fault": fault})
    assert chosen["matches"][0]["headers"][0]["name"] == "x-chaos"
    assert shares(chosen)[f"{SERVICE}-fault"] == 1
    assert "matches" not in rest
    assert f"{SERVICE}-fault" not in str(rest)


def test_the_backend_answers_the_status_that_is_asked_for() -> None:
    found = made(**FAULT)
    pod = found["Deployment", f"{SERVICE}-fault"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert "-status-code=503" in container["args"]
    assert container["image"] == "docker.io/hashicorp/http-echo:1.0.0"
    service = found["Service", f"{SERVICE}-fault"]["spec"]
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    (entry,) = (e for e in rules(**FAULT)[0]["backendRefs"] if e["name"].endswith("fault"))
    assert entry["port"] == service["ports"][0]["port"]


def test_the_backend_is_no_pod_of_the_model() -> None:
    labels = made(**FAULT)["Deployment", f"{SERVICE}-fault"]["spec"]["template"]["metadata"][
        "labels"
    ]
    assert not model().selector.items() <= labels.items()
