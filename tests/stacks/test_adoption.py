"""A running stack taken into the mesh step by step, and back: nothing is replaced that need not be,
and at every moment there is a pod to answer, spoken to as it can be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from components.adoption import Adoption
from tests.proxy import Proxy
from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

NAMESPACE = "--namespace=ai-inference"
STABLE = "--selector=app=deepseek-r1-1.5b,version=stable"
STEPS: tuple[Adoption, ...] = ("strict", "unmeshed", "permissive", "strict", "permissive")
REPLICAS = 2


@dataclass(frozen=True)
class Step:
    """What was there once a step was taken."""

    adoption: Adoption
    namespace: str
    """Its uid."""
    mtls: str | None
    pods: frozenset[str]
    sidecars: frozenset[str]
    """The pods that have one."""
    fewest: int
    """The smallest number of pods that were ready at a time on the way."""


class Watch:
    """Counts the ready pods of a model's stable version until told to stop."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.fewest = REPLICAS
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.fewest = min(self.fewest, len(ready(self.site)))


def ready(site: Site) -> list[dict[str, Any]]:
    """The ready pods that are to stay."""
    found = []
    for pod in site.get("pods", NAMESPACE, STABLE)["items"]:
        conditions = pod["status"].get("conditions", [])
        said = {each["type"]: each["status"] for each in conditions}
        if said.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            found.append(pod)
    return found


def take(site: Site, adoption: Adoption) -> Step:
    with Watch(site) as watch:
        site.up(adoption=adoption)
        deadline = time.monotonic() + 30
        while len(ready(site)) < REPLICAS:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    peers = site.get("peerauthentications", NAMESPACE)
    found = peers["items"] if peers else []
    (mtls,) = [item["spec"]["mtls"]["mode"] for item in found] or [None]
    pods = {pod["metadata"]["name"]: pod["spec"].get("initContainers", []) for pod in ready(site)}
    return Step(
        adoption,
        site.get("namespace", "ai-inference")["metadata"]["uid"],
        mtls,
        frozenset(pods),
        frozenset(name for name, first in pods.items() if "istio-proxy" in str(first)),
        watch.fewest,
    )


@pytest.fixture(scope="module")
def sidecar_steps(site: Site) -> Iterator[list[Step]]:
    yield [take(site, adoption) for adoption in STEPS]
    site.up()
    site.await_replicas()


@pytest.fixture(scope="module")
def ambient_steps(ambient: Site) -> Iterator[list[Step]]:
    yield [take(ambient, adoption) for adoption in STEPS]
    ambient.up()


@pytest.fixture(params=["sidecar_steps", "ambient_steps"])
def steps(request: pytest.FixtureRequest) -> list[Step]:
    made: list[Step] = request.getfixturevalue(request.param)
    return made


def test_no_step_replaces_the_namespace(steps: list[Step]) -> None:
    assert len({step.namespace for step in steps}) == 1


def test_every_step_has_the_mtls_mode_that_it_says(steps: list[Step]) -> None:
    expected = [None if each == "unmeshed" else each.upper() for each in STEPS]
    assert [step.mtls for step in steps] == expected


def test_pods_are_replaced_one_by_one(steps: list[Step]) -> None:
    assert all(step.fewest >= REPLICAS - 1 for step in steps)


def test_with_sidecars_pods_are_replaced_where_they_join_or_leave_alone(
    sidecar_steps: list[Step],
) -> None:
    for before, after in pairwise(sidecar_steps):
        joins_or_leaves = "unmeshed" in (before.adoption, after.adoption)
        assert after.pods.isdisjoint(before.pods) if joins_or_leaves else after.pods == before.pods
    for step in sidecar_steps:
        assert step.sidecars == (frozenset() if step.adoption == "unmeshed" else step.pods)


def test_in_ambient_mode_no_step_replaces_a_pod(ambient_steps: list[Step]) -> None:
    assert len({step.pods for step in ambient_steps}) == 1
    assert {step.sidecars for step in ambient_steps} == {frozenset()}


@pytest.mark.parametrize(("adoption", "meshed"), [("unmeshed", False), ("permissive", True)])
def test_the_gateway_speaks_to_each_pod_as_it_can(
    sidecar_steps: list[Step], site: Site, adoption: Adoption, meshed: bool
) -> None:
    take(site, adoption)
    proxy = Proxy.of(site.simulated, "router", "istio-ingress", "istio=ingress")
    cluster = "outbound|8000|stable|deepseek-r1-1-5b-svc.ai-inference.svc.cluster.local"
    deadline = time.monotonic() + 15
    while proxy.mutual_tls(cluster) != {meshed}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
