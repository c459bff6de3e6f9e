from __future__ import annotations

import pytest

from components.mesh.linkerd import tracing
from tests.components.samples import linkerd

SERVICE = {"name": "otel", "namespace": "observability", "port": 4317}


@pytest.mark.parametrize(
    "host", ["otel.observability", "otel.observability.svc", "otel.observability.svc.cluster.local"]
)
def test_a_service_is_named_as_one(host: str) -> None:
    found = tracing.of_gateway(f"http://{host}:4317", 1.0)["telemetry"]["tracing"]
    assert found["provider"]["backendRefs"] == [SERVICE]


@pytest.mark.parametrize("host", ["otel", "otel.example.com"])
def test_any_other_host_is_an_address(host: str) -> None:
    found = tracing.of_gateway(f"http://{host}:4317", 1.0)["telemetry"]["tracing"]
    assert found["provider"] == {"type": "OpenTelemetry", "host": host, "port": 4317}


def test_proxies_send_to_a_service_in_the_mesh_alone() -> None:
    settings = linkerd(trace_collector="otel").settings
    assert tracing.of_proxies(settings, "http://otel.example.com:4317") == {}
    assert tracing.of_proxies(settings, None) == {}
    assert tracing.of_proxies(linkerd().settings, "http://otel.observability:4317") == {}
    found = tracing.of_proxies(settings, "http://otel.observability:4317")["tracing"]["collector"]
    assert found["meshIdentity"] == {"serviceAccountName": "otel", "namespace": "observability"}
