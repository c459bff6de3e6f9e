from __future__ import annotations

import pytest

from components.tracing import TracingSettings


def test_a_collectors_address_is_taken() -> None:
    for address in ("http://otel.observability:4317", "http://otel.observability:4317/"):
        assert list(TracingSettings(endpoint=address).problems()) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "otel:4317",
        "http://otel",
        "https://otel:4317",
        "http://otel:99999",
        "http://[otel:4317",
        "http://otel:4318/v1/traces",
    ],
)
def test_another_address_is_refused_with_an_example(endpoint: str) -> None:
    (problem,) = TracingSettings(endpoint=endpoint).problems()
    assert problem.path == ("endpoint",)
    assert endpoint in problem.message
    assert "http://otel-collector.observability" in problem.message
