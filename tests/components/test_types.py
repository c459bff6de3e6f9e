from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from components import types


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (types.Name, "ai-inference"),
        (types.Name, "a" * 63),
        (types.ModelName, "deepseek-r1-1.5b"),
        (types.ModelName, "a" * 52),
        (types.Hostname, "deepseek-api.example.com"),
        (types.Port, 7860),
        (types.Cpu, "500m"),
        (types.Cpu, "0.5"),
        (types.Memory, "1.5Gi"),
        (types.Duration, "250ms"),
        (types.Cpu, "0.005"),
        (types.Cpu, "0.050"),
        (types.Cpu, "10.25"),
        (types.UrlPath, "/v1/*"),
        (types.PathPattern, "/v1/*"),
        (types.PathPattern, "/v1/models"),
        (types.PathPattern, "/*"),
        (types.Image, "vllm/vllm-openai:v0.32.0"),
        (types.Image, "registry.example.com:5000/a/b:1"),
        (types.Image, f"vllm/vllm-openai@sha256:{'0' * 64}"),
        (types.ObjectName, "wildcard.example.com-tls"),
        (types.ExtendedResource, "nvidia.com/gpu"),
        (types.HubId, "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"),
        (types.LabelKey, "topology.kubernetes.io/zone"),
        (types.LabelValue, ""),
        (types.EnvName, "LOG_LEVEL"),
    ],
)
def test_plausible_values_are_taken_as_they_are(kind: Any, value: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (types.Name, "deepseek-r1-1.5b"),
        (types.Name, "1st"),
        (types.Name, "a" * 64),
        (types.Name, "ends-"),
        (types.Name, "line\n"),
        (types.ModelName, "Upper"),
        (types.ModelName, "a" * 53),
        (types.ModelName, "a..b"),
        (types.Hostname, "localhost"),
        (types.Hostname, "*.example.com"),
        (types.Port, 0),
        (types.Port, 65536),
        (types.Port, True),
        (types.Percent, 101),
        (types.Percent, -1),
        (types.Percent, 0.5),
        (types.Count, 0),
        (types.Count, "3"),
        (types.Count, True),
        (types.Fraction, 0),
        (types.Fraction, 1.01),
        (types.Cpu, "four"),
        (types.Cpu, -1),
        (types.Cpu, 0),
        (types.Cpu, "0.0"),
        (types.Cpu, "0.000"),
        (types.Cpu, "0m"),
        (types.Memory, "16"),
        (types.Memory, "16gb"),
        (types.Duration, "30"),
        (types.Duration, "0s"),
        (types.Duration, "1m30s"),
        (types.UrlPath, "healthz"),
        (types.UrlPath, "/a b"),
        (types.PathPattern, "*"),
        (types.PathPattern, "/v1/*/models"),
        (types.PathPattern, "/v1/**"),
        (types.Image, "vllm/vllm-openai"),
        (types.Image, "registry.example.com:5000/image"),
        (types.HubId, "DeepSeek-R1"),
        (types.HubId, "models/dé"),
        (types.ObjectName, "Wildcard"),
        (types.ExtendedResource, "gpu"),
        (types.MinorVersion, "1.36.3"),
        (types.LabelKey, "Example.com/zone"),
        (types.LabelValue, "two words"),
        (types.EnvName, "1ST"),
    ],
)
def test_implausible_values_are_refused_with_what_was_expected(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError, match=r"expected .+"):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "given", "taken"),
    [
        (types.Cpu, 4, "4"),
        (types.Cpu, 0.5, "0.5"),
        (types.MinorVersion, 1.36, "1.36"),
    ],
)
def test_numbers_that_yaml_reads_are_taken_as_text(kind: Any, given: Any, taken: str) -> None:
    assert TypeAdapter(kind).validate_python(given) == taken


def test_seconds_are_read_from_durations() -> None:
    assert [types.seconds(text) for text in ("500ms", "30s", "2m", "1h")] == [0.5, 30, 120, 3600]
