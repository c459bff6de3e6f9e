"""Distributed tracing: from the gateway through the proxies into the model server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from components.settings import Problem, Settings


class TracingSettings(Settings):
    """Spans go to an OpenTelemetry collector; the trace context travels in `traceparent`."""

    endpoint: str
    """OTLP/gRPC address of the collector, for example
    http://otel-collector.observability.svc.cluster.local:4317."""
    sampling: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Percent of the requests that are traced."""

    def problems(self) -> Iterator[Problem]:
        if not _is_address(self.endpoint):
            yield Problem(
                ("endpoint",),
                f"{self.endpoint} is not an address; expected http://host:port, for example "
                "http://otel-collector.observability.svc.cluster.local:4317",
            )


def _is_address(text: str) -> bool:
    try:
        address = urlsplit(text)
        whole = address.hostname and address.port and not address.path.strip("/")
        return bool(address.scheme == "http" and whole)
    except ValueError:  # such as a port above 65535
        return False
