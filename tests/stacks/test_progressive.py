"""The real Flagger with a real Prometheus: releases that are promoted and releases that are not.

The test says what Prometheus scrapes. The copy that serves has bad metrics throughout, so that a
release that is promoted was judged by its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from simcluster import companions
from stacks.schema import PREFIX
from tests.feed import Feed, Serving
from tests.proxy import Proxy
from tests.stacks.conftest import Site
from tests.stacks.files import ROOT

pytestmark = pytest.mark.cluster

NAME = NAMESPACE = "llm-production"
RELEASE = f"{NAME}-release"
ENDS = ("Succeeded", "Failed")
RELEASE_SECONDS = 240


@dataclass
class Released:
    """The site with one more model, which Flagger releases."""

    site: Site
    prometheus: str
    new: Serving
    """The pods under test."""
    seen: list[int] = field(default_factory=list)
    """The new version's weights of the last release, as they came."""

    def up(self, image: str, *, progressive: bool = True) -> None:
        """Deploy the model with this image, beside those of the site."""
        local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
        model = {
            "preset": "deepseek-r1-distill-qwen-1.5b",
            "namespace": NAMESPACE,
            "runtime": {"kind": "vllm", "image": image},
            "gpu": {"product": "NVIDIA-L4"},
            "replicas": 2,
            "route": {"prefix": "/production"},
        }
        if progressive:
            steps = {"step": 10, "max": 50, "interval": "10s", "threshold": 2}
            model["progressive"] = steps
        models = local[f"{PREFIX}models"] | {NAME: model}
        self.site.said.clear()
        self.site.up(models=models, prometheus=self.prometheus)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.site.get(kind, name, f"--namespace={NAMESPACE}")
        return found

    def phase(self) -> str:
        return str((self.get("canary", NAME).get("status") or {}).get("phase"))

    def weight(self) -> int:
        """Of the new version, in the route that Flagger writes."""
        (route,) = self.get("virtualservice", RELEASE)["spec"]["http"]
        weights = {each["destination"]["host"]: each.get("weight", 0) for each in route["route"]}
        assert sum(weights.values()) == 100
        return int(weights[f"{RELEASE}-canary"])

    def image(self, deployment: str) -> str:
        template = self.get("deployment", deployment)["spec"]["template"]
        return str(template["spec"]["containers"][0]["image"])

    def replicas(self, deployment: str) -> int:
        return int(self.get("deployment", deployment)["spec"]["replicas"])

    def watch(self, until: tuple[str, ...], weight: int | None = None) -> None:
        """Follow the release to one of these phases, or to a weight."""
        deadline = time.monotonic() + RELEASE_SECONDS
        while time.monotonic() < deadline:
            now, phase = self.weight(), self.phase()
            if self.seen[-1:] != [now]:
                self.seen.append(now)
            if now == weight or phase in until:
                return
            time.sleep(0.5)
        raise AssertionError(f"weights {self.seen}, phase {phase}: {self.reasons()}")

    def exists(self, kind: str, name: str) -> bool:
        return self.site.get(kind, name, f"--namespace={NAMESPACE}") is not None

    def available(self, deployment: str) -> int:
        return int(self.get("deployment", deployment)["status"].get("availableReplicas", 0))

    def ready(self) -> int:
        """Pods behind the model's Service that take requests."""
        selector = f"--selector=kubernetes.io/service-name={NAME}"
        slices = self.site.get("endpointslices", f"--namespace={NAMESPACE}", selector)["items"]
        endpoints = [each for item in slices for each in item.get("endpoints") or []]
        return sum(each["conditions"]["ready"] for each in endpoints)

    def reasons(self) -> list[str]:
        events = self.site.get("events", f"--namespace={NAMESPACE}")["items"]
        return [event["message"] for event in events if event["involvedObject"]["kind"] == "Canary"]


def eventually(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert holds()


@pytest.fixture(scope="module")
def released(site: Site) -> Iterator[Released]:
    new = Serving(NAME, NAMESPACE)
    old = Serving(f"{NAME}-primary", NAMESPACE, good=False, answered=False)
    with Feed(new, old) as feed:
        targets = [{"targets": [feed.address]}]
        scrape = {"job_name": "feed", "honor_labels": True, "static_configs": targets}
        with companions.prometheus(site.simulated, [scrape]) as prometheus:
            made = Released(site, prometheus, new)
            made.up("vllm/vllm-openai:v0.32.0")
            with companions.flagger(site.simulated):
                eventually(lambda: made.phase() == "Initialized", RELEASE_SECONDS)
                yield made
            site.up()


@pytest.fixture
def rest(released: Released) -> Released:
    """Between releases, all requests on the copy that serves and its pods ready."""
    eventually(lambda: released.phase() in ("Initialized", *ENDS), RELEASE_SECONDS)
    released.new.good = True
    released.seen.clear()
    return released


def test_between_releases_the_copy_serves_and_the_models_own_pods_have_no_gpu(
    rest: Released,
) -> None:
    assert rest.weight() == 0
    assert (rest.replicas(f"{NAME}-primary"), rest.replicas(NAME)) == (2, 0)
    pods = rest.site.get("pods", f"--namespace={NAMESPACE}")["items"]
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(staying) == 2
    policy = rest.get("authorizationpolicy", f"{NAME}-callers")["spec"]["selector"]["matchLabels"]
    budget = rest.get("poddisruptionbudget", NAME)["spec"]["selector"]["matchLabels"]
    for pod in staying:
        assert policy.items() <= pod["metadata"]["labels"].items()
        assert budget.items() <= pod["metadata"]["labels"].items()
        assert pod["metadata"]["labels"]["app.kubernetes.io/instance"] == f"{NAME}-primary"


def test_good_metrics_promote_a_release_in_steps_and_a_second_up_changes_nothing(
    rest: Released,
) -> None:
    rest.up("vllm/vllm-openai:v0.32.1")
    rest.watch(ENDS, weight=20)
    before = rest.get("deployment", NAME)
    rest.up("vllm/vllm-openai:v0.32.1")
    assert any("0 to create, 0 to update, 0 to delete" in line for line in rest.site.said)
    after = rest.get("deployment", NAME)
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["spec"]["replicas"] == 2
    assert rest.phase() == "Progressing"
    assert rest.weight() >= 20
    assert _routed(rest)[f"{RELEASE}-canary"] >= 20
    rest.watch(ENDS)
    assert rest.phase() == "Succeeded"
    assert rest.seen == [0, 10, 20, 30, 40, 50, 0]
    assert rest.image(f"{NAME}-primary") == "vllm/vllm-openai:v0.32.1"
    assert rest.replicas(NAME) == 0


def test_bad_metrics_roll_a_release_back(rest: Released) -> None:
    served = rest.image(f"{NAME}-primary")
    rest.new.good = False
    rest.up("vllm/vllm-openai:v0.32.9")
    eventually(lambda: rest.phase() == "Progressing")
    rest.watch(ENDS)
    assert rest.phase() == "Failed"
    assert rest.seen == [0, 10, 0]
    assert rest.image(f"{NAME}-primary") == served
    assert rest.replicas(NAME) == 0
    assert any("first-token" in reason for reason in rest.reasons())


def _routed(released: Released) -> dict[str, int]:
    """What istiod tells the proxy of a pod beside it about the model's Service."""
    proxy = Proxy.of(released.site.simulated, "sidecar", "ai-inference", "version=stable")
    host = f"{NAME}.{NAMESPACE}.svc.cluster.local"
    (found,) = (
        each for each in proxy.routes("8000")["8000"]["virtualHosts"] if host in each["domains"]
    )
    action = found["routes"][0]["route"]
    return {
        cluster["name"].split("|")[3].partition(".")[0]: cluster["weight"]
        for cluster in action["weightedClusters"]["clusters"]
    }


@contextmanager
def _always_ready(released: Released) -> Iterator[None]:
    """The model's Service has a pod that takes requests, whenever it is looked at."""
    seen, done = [released.ready()], threading.Event()

    def look() -> None:
        while not done.wait(0.3):
            seen.append(released.ready())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()
    assert min(seen) > 0


def test_a_model_serves_while_progressive_delivery_is_turned_off_and_on(rest: Released) -> None:
    image = rest.image(f"{NAME}-primary")
    with _always_ready(rest):
        scaled = ("scale", "deployment", NAME, "--replicas=2", f"--namespace={NAMESPACE}")
        assert rest.site.cluster.run_kubectl(*scaled).code == 0
        eventually(lambda: rest.available(NAME) == 2)
        rest.up(image, progressive=False)
        (route,) = rest.get("virtualservice", NAME)["spec"]["http"]
        assert [each["destination"]["subset"] for each in route["route"]] == ["stable"]
        eventually(lambda: not rest.exists("deployment", f"{NAME}-primary"))
        assert not rest.exists("virtualservice", RELEASE)
        assert rest.replicas(NAME) == 2
        rest.up(image)
        eventually(lambda: rest.exists("canary", NAME) and rest.phase() == "Initialized", 90)
        eventually(lambda: rest.replicas(NAME) == 0)
    assert rest.weight() == 0
