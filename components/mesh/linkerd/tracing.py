"""Where spans go: to the collector's Service by its name, or to an address outside the cluster."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from components.chart import Values
from components.mesh.linkerd.settings import LinkerdSettings


def of_proxies(settings: LinkerdSettings, endpoint: str | None) -> Values:
    """Spans of requests that carry a trace context already: Linkerd's proxies begin none.

    By mutual TLS only, so that the collector has to be in the mesh.
    """
    place = _service(endpoint)
    if place is None or not settings.trace_collector:
        return {}
    name, namespace = place
    who = {"serviceAccountName": settings.trace_collector, "namespace": namespace}
    address = f"{name}.{namespace}.svc.cluster.local:{_port(endpoint)}"
    return {"tracing": {"enabled": True, "collector": {"endpoint": address, "meshIdentity": who}}}


def of_gateway(endpoint: str | None, percent: float) -> dict[str, Any]:
    """Where traces begin."""
    if not endpoint:
        return {}
    place, port = _service(endpoint), _port(endpoint)
    provider: dict[str, Any] = {"type": "OpenTelemetry"}
    if place is None:
        provider |= {"host": urlsplit(endpoint).hostname, "port": port}
    else:
        provider["backendRefs"] = [{"name": place[0], "namespace": place[1], "port": port}]
    share = {"numerator": round(percent * 100), "denominator": 10_000}
    return {"telemetry": {"tracing": {"samplingFraction": share, "provider": provider}}}


def _service(endpoint: str | None) -> tuple[str, str] | None:
    """Name and namespace, where the host is a Service: `a.b`, `a.b.svc` or longer."""
    host = str(urlsplit(endpoint or "").hostname).removesuffix(".cluster.local")
    name, _, namespace = host.removesuffix(".svc").partition(".")
    return (name, namespace) if namespace and "." not in namespace else None


def _port(endpoint: str | None) -> int | None:
    return urlsplit(endpoint or "").port
