"""What a Prometheus would scrape of a model's proxies and servers, under a test's control."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REQUESTS_A_SECOND = 20


@dataclass
class Serving:
    """How one Deployment's pods answer, since the last change and before."""

    deployment: str
    namespace: str
    good: bool = True
    """Whether each answer is a 200 with tokens in time, or a 200 whose tokens come late."""
    answered: bool = True
    """Whether an answer is a 200 at all, or a 503."""
    counted_by: str = "destination"
    """Which of Istio's proxies report the answers; `linkerd` for Linkerd's."""
    counts: dict[tuple[bool, bool], float] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    def lines(self) -> Iterator[str]:
        now = time.monotonic()
        key = self.answered, self.good
        self.counts[key] = self.counts.get(key, 0) + (now - self.since) * REQUESTS_A_SECOND
        self.since = now
        yield from self._answers()
        pod = f'namespace="{self.namespace}",pod="{self.deployment}-5f6b7c8d9e-x2x4z"'
        yield f"vllm:num_requests_waiting{{{pod}}} {1 if self.good else 50}"
        for name, limits in (
            ("vllm:time_to_first_token_seconds", ("0.5", "10.0")),
            ("vllm:inter_token_latency_seconds", ("0.05", "1.0")),
        ):
            quick = sum(count for (_, good), count in self.counts.items() if good)
            every = sum(self.counts.values())
            for limit, count in zip((*limits, "+Inf"), (quick, every, every), strict=True):
                yield f'{name}_bucket{{{pod},le="{limit}"}} {count}'

    def _answers(self) -> Iterator[str]:
        for code, answered in (("200", True), ("503", False)):
            count = sum(n for (was, _), n in self.counts.items() if was is answered)
            if self.counted_by == "linkerd":
                yield f"response_total{{{self._of_linkerd(answered)}}} {count}"
                continue
            labels = {
                "reporter": self.counted_by,
                "destination_workload_namespace": self.namespace,
                "destination_workload": self.deployment,
                "response_code": code,
            }
            text = ",".join(f'{key}="{value}"' for key, value in labels.items())
            yield f"istio_requests_total{{{text}}} {count}"

    def _of_linkerd(self, answered: bool) -> str:
        classified = "success" if answered else "failure"
        return (
            f'direction="inbound",tls="true",classification="{classified}",'
            f'namespace="{self.namespace}",deployment="{self.deployment}"'
        )


class Feed:
    """A metrics endpoint of several Deployments; a context that serves it."""

    def __init__(self, *serving: Serving) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            lines = [line for each in serving for line in each.lines()]
            body = "\n".join([*lines, ""]).encode()
            handler.send_response(200)
            handler.send_header("Content-Type", "text/plain; version=0.0.4")
            handler.end_headers()
            handler.wfile.write(body)

        quiet = {"do_GET": answer, "log_message": lambda *_: None}
        handler = type("Handler", (BaseHTTPRequestHandler,), quiet)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Feed:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
