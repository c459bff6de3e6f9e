"""The companions as real processes: what they read, what they do, and that they end."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from simcluster import companions, processes
from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError
from tests.simcluster.kubectl import Kubectl

pytestmark = pytest.mark.cluster

MODEL = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, labels: {app: chat}}
spec:
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec: {containers: [{name: chat, image: chat}]}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: chat}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  service: {port: 8000}
  analysis: {interval: 10s, threshold: 1, iterations: 1}
"""


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    cluster = SimulatedCluster(tmp_path_factory.mktemp("companions") / ".sim")
    try:
        cluster.start()
        yield Kubectl(cluster)
    finally:
        cluster.stop()


@pytest.fixture
def metrics() -> Iterator[str]:
    """The address of a server whose one metric is 7."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b"vllm:num_requests_waiting 7\n")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def scrape(address: str) -> list[dict[str, Any]]:
    return [{"job_name": "model", "static_configs": [{"targets": [address]}]}]


def ask(url: str, query: str) -> list[str]:
    """The values that a Prometheus has for a query now."""
    call = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(call, timeout=5) as answer:
        content = json.load(answer)
    return [entry["value"][1] for entry in content["data"]["result"]]


def running(cluster: SimulatedCluster) -> set[str]:
    return set(processes.find(cluster.directory).values()) & processes.COMPANIONS


def test_prometheus_scrapes_what_a_test_serves_and_ends_with_its_context(
    kubectl: Kubectl, metrics: str
) -> None:
    with companions.prometheus(kubectl.cluster, scrape(metrics)) as url:
        kubectl.eventually(lambda: ask(url, "vllm:num_requests_waiting") == ["7"])
        assert running(kubectl.cluster) == {"prometheus"}
    assert running(kubectl.cluster) == set()
    assert kubectl.cluster.log("prometheus").exists()


def test_a_prometheus_that_cannot_start_says_where_to_look(kubectl: Kubectl) -> None:
    with (
        pytest.raises(SimulationError, match="prometheus does not serve"),
        companions.prometheus(kubectl.cluster, [{"job": "misspelt"}]),
    ):
        pass


def test_flagger_without_its_chart_is_refused(kubectl: Kubectl) -> None:
    with (
        pytest.raises(SimulationError, match="install its chart"),
        companions.flagger(kubectl.cluster),
    ):
        pass


def test_flagger_takes_up_a_canary_by_the_values_of_its_chart(kubectl: Kubectl) -> None:
    kubectl.helm("flagger", "flagger", "flagger-system", "--set=meshProvider=kubernetes")
    kubectl("apply", "-f-", stdin=MODEL)
    with companions.flagger(kubectl.cluster):
        kubectl(
            "wait", "canary/chat", "--for=jsonpath={.status.phase}=Initialized", "--timeout=90s"
        )
        assert kubectl.read("deployment", "chat-primary")["status"]["readyReplicas"] == 1
        # The provider of no mesh, which the chart was told of, has no routes.
        assert kubectl.read("service", "chat")["spec"]["selector"] == {"app": "chat-primary"}


def test_companions_end_with_their_cluster(kubectl: Kubectl, metrics: str) -> None:
    with companions.prometheus(kubectl.cluster, scrape(metrics)):
        processes.kill(kubectl.cluster.directory, processes.COMPANIONS)
        assert running(kubectl.cluster) == set()
