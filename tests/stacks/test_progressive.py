"""The real Flagger with a real Prometheus: releases that are promoted and releases that are not.

The test says what Prometheus scrapes. The copy that serves has bad metrics throughout, so that a
release that is promoted was judged by its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from simcluster import companions
from tests.feed import Feed, Serving
from tests.proxy import Proxy
from tests.stacks.conftest import Site
from tests.stacks.released import (
    ENDS,
    NAME,
    NAMESPACE,
    RELEASE,
    RELEASE_SECONDS,
    Released,
    eventually,
)

pytestmark = pytest.mark.cluster


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
    policy = rest.get("authorizationpolicies.security.istio.io", f"{NAME}-callers")["spec"][
        "selector"
    ]["matchLabels"]
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
