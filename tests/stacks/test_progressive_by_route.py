"""The real Flagger where routes are the Gateway API's: in ambient mode, and on Linkerd.

Linkerd's proxies are not here: what Flagger makes of its resources is, which they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from components.kubernetes import Manifest, manifest
from components.model import objects
from components.model.model import Model
from components.model.release import release
from simcluster import companions
from tests.components.samples import linkerd, model
from tests.feed import Feed, Serving
from tests.proxy import Proxy
from tests.stacks.conftest import Site
from tests.stacks.released import (
    ENDS,
    NAME,
    NAMESPACE,
    RELEASE,
    RELEASE_SECONDS,
    ReleasedByRoute,
    eventually,
)
from tests.stacks.test_ambient import conditions, routes, weights

pytestmark = pytest.mark.cluster

FIRST, SECOND = "vllm/vllm-openai:v0.32.0", "vllm/vllm-openai:v0.32.1"
OTHER = "llm-other"
"""The model, and its namespace, that has Linkerd's resources."""
ROUTE = "httproutes.gateway.networking.k8s.io"
"""Linkerd has HTTPRoutes of its own too."""
STEPS = {"step": 25, "max": 50, "interval": "10s", "threshold": 2}


@pytest.fixture(scope="module")
def released(ambient: Site) -> Iterator[ReleasedByRoute]:
    """A model in ambient mode, and the real Flagger, which releases others too."""
    serving = [
        Serving(NAME, NAMESPACE, counted_by="waypoint"),
        Serving(f"{NAME}-primary", NAMESPACE, False, False, "waypoint"),
        Serving(OTHER, OTHER, counted_by="linkerd"),
        Serving(f"{OTHER}-primary", OTHER, False, False, "linkerd"),
    ]
    with Feed(*serving) as feed:
        targets = [{"targets": [feed.address]}]
        scrape = {"job_name": "feed", "honor_labels": True, "static_configs": targets}
        with companions.prometheus(ambient.simulated, [scrape]) as prometheus:
            traffic = {"timeouts": {"response": "2m", "connect": "7s"}}
            made = ReleasedByRoute(ambient, prometheus, serving[0], settings={"traffic": traffic})
            made.up(FIRST)
            with companions.flagger(ambient.simulated):
                eventually(lambda: made.phase() == "Initialized", RELEASE_SECONDS)
                yield made
            ambient.up()


def _at_waypoint(released: ReleasedByRoute) -> dict[str, Any]:
    """The waypoint's only route for calls to the model's Service."""
    label = "gateway.networking.k8s.io/gateway-name=waypoint"
    proxy = Proxy.of(released.site.simulated, "waypoint", NAMESPACE, label)
    (route,) = routes(proxy, f"{NAME}.{NAMESPACE}.svc.cluster.local")
    return route


def _share(released: ReleasedByRoute) -> int:
    return weights(_at_waypoint(released)).get(f"{RELEASE}-canary", 0)


def test_between_releases_the_waypoint_sends_all_to_the_copy(released: ReleasedByRoute) -> None:
    assert (released.replicas(f"{NAME}-primary"), released.replicas(NAME)) == (2, 0)
    route = released.get(ROUTE, RELEASE)
    assert [parent["name"] for parent in route["spec"]["parentRefs"]] == [NAME]
    eventually(lambda: conditions(released.get(ROUTE, RELEASE))["Accepted"] == "True")
    eventually(lambda: weights(_at_waypoint(released)).get(f"{RELEASE}-primary") == 100)
    assert _at_waypoint(released)["route"]["timeout"] == "120s"
    assert not released.exists(ROUTE, NAME)


def test_in_ambient_mode_a_release_goes_in_steps_and_a_second_up_changes_nothing(
    released: ReleasedByRoute,
) -> None:
    released.up(SECOND)
    released.watch(ENDS, weight=20)
    before = released.get("deployment", NAME)
    released.up(SECOND)
    assert any("0 to create, 0 to update, 0 to delete" in line for line in released.site.said)
    assert (
        released.get("deployment", NAME)["metadata"]["generation"]
        == (before["metadata"]["generation"])
    )
    assert released.phase() == "Progressing"
    eventually(lambda: _share(released) >= 20, 10)
    released.watch(ENDS)
    assert released.phase() == "Succeeded"
    assert released.seen == [0, 10, 20, 30, 40, 50, 0]
    assert released.rule()["timeouts"] == {"request": "2m"}
    assert released.image(f"{NAME}-primary") == SECOND
    eventually(lambda: released.replicas(NAME) == 0)
    eventually(lambda: _share(released) == 0, 10)


@dataclass
class OnLinkerd:
    """A model with Linkerd's resources, but for those of its policy."""

    released: ReleasedByRoute
    model: Model

    def apply(self, image: str) -> None:
        settings = self.model.settings
        runtime = settings.runtime.model_copy(update={"image": image})
        wanted = replace(self.model, settings=settings.model_copy(update={"runtime": runtime}))
        self.released.site.cluster.apply(_made(wanted))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.released.site.get(kind, name, f"--namespace={OTHER}")
        return found

    def phase(self) -> str:
        return str((self.get("canary", OTHER).get("status") or {}).get("phase"))

    def shares(self) -> dict[str, int]:
        (rule,) = self.get(ROUTE, f"{OTHER}-release")["spec"]["rules"]
        return {each["name"]: each["weight"] for each in rule["backendRefs"]}


def _made(wanted: Model) -> list[Manifest]:
    mesh = linkerd()
    return [
        manifest("v1", "Namespace", OTHER),
        objects.service_account(wanted),
        objects.deployment(wanted, wanted.stable, mesh.inject(wanted), {}),
        objects.service(wanted, mesh.service_metadata(wanted)),
        *mesh.route(wanted, None),
        *objects.autoscalers(wanted),
        *release(wanted, mesh.deliver(wanted)),
    ]


@pytest.fixture
def on_linkerd(released: ReleasedByRoute) -> Iterator[OnLinkerd]:
    wanted = model(
        OTHER,
        namespace=OTHER,
        gpu={"product": "NVIDIA-L4"},
        replicas=1,
        progressive=STEPS,
        traffic={"timeouts": {"response": "2m"}, "retries": {"attempts": 1}},
    )
    made = OnLinkerd(released, replace(wanted, prometheus=released.prometheus))
    made.apply(FIRST)
    yield made
    released.site.cluster.delete([manifest("v1", "Namespace", OTHER)])


def test_on_linkerd_flagger_moves_the_weights_and_leaves_retries_and_timeouts(
    on_linkerd: OnLinkerd,
) -> None:
    eventually(lambda: on_linkerd.phase() == "Initialized", RELEASE_SECONDS)
    release_of = {"primary": f"{OTHER}-release-primary", "canary": f"{OTHER}-release-canary"}
    assert on_linkerd.shares() == {release_of["primary"]: 100, release_of["canary"]: 0}
    route = on_linkerd.get(ROUTE, f"{OTHER}-release")
    (parent,) = route["spec"]["parentRefs"]
    assert (parent["group"], parent["kind"], parent["name"]) == ("", "Service", OTHER)
    said = on_linkerd.get("service", OTHER)["metadata"]["annotations"]
    on_linkerd.apply(SECOND)
    eventually(lambda: on_linkerd.shares()[release_of["canary"]] == 25, 120)
    on_linkerd.apply(SECOND)
    eventually(lambda: on_linkerd.shares()[release_of["canary"]] == 50)
    eventually(lambda: on_linkerd.phase() in ENDS, 120)
    assert on_linkerd.phase() == "Succeeded"
    assert on_linkerd.shares() == {release_of["primary"]: 100, release_of["canary"]: 0}
    assert said["retry.linkerd.io/limit"] == "1"
    assert said["timeout.linkerd.io/response"] == "2m"
    assert on_linkerd.get("service", OTHER)["metadata"]["annotations"] == said
    on_route = on_linkerd.get(ROUTE, f"{OTHER}-release")["metadata"]["annotations"]
    # Any of these there would be taken in the place of those of the Service.
    assert not [key for key in on_route if "retry.linkerd" in key or "timeout.linkerd" in key]


def test_turned_off_the_programs_own_route_comes_back(released: ReleasedByRoute) -> None:
    image = released.image(f"{NAME}-primary")
    scaled = ("scale", "deployment", NAME, "--replicas=2", f"--namespace={NAMESPACE}")
    assert released.site.cluster.run_kubectl(*scaled).code == 0
    eventually(lambda: released.available(NAME) == 2)
    released.up(image, progressive=False)
    eventually(lambda: not released.exists(ROUTE, RELEASE))
    eventually(lambda: not released.exists("deployment", f"{NAME}-primary"))
    assert conditions(released.get(ROUTE, NAME))["Accepted"] == "True"
    eventually(lambda: weights(_at_waypoint(released)) == {f"{NAME}-stable": 100}, 10)
    assert released.replicas(NAME) == 2
