"""What istiod makes of a budget of tokens: which requests go to the AI gateway."""

from __future__ import annotations

import json
import time

import pytest

from components.ai_gateway import names
from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway
from components.mesh.protocol import Ingress
from components.model import objects
from tests.components.samples import istio, model
from tests.proxy import Proxy, Resource
from tests.stacks.conftest import Site

pytestmark = pytest.mark.cluster

GATEWAY = "tokens"
HOST = "tokens.example.com"
ROUTES = f"https.443.https.{GATEWAY}.{gateway.NAMESPACE}"
MODEL = model("tokens-a", traffic={"tokenBudget": {"tokens": 1000, "header": "x-user-id"}})


def _renamed(item: Manifest) -> Manifest:
    """As another Gateway than the site's own, so that both are there."""
    text = json.dumps(item).replace(gateway.REFERENCE, f"{gateway.NAMESPACE}/{GATEWAY}")
    return json.loads(text.replace(f'"{gateway.NAME}"', f'"{GATEWAY}"'))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def routes(site: Site) -> list[Resource]:
    """The routes of the model's host at the gateway's proxy."""
    # What Envoy Gateway makes of the Gateway.
    ports = [{"name": "http-8080", "port": names.PORT}]
    service = manifest("v1", "Service", names.NAME, names.NAMESPACE, spec={"ports": ports})
    made = [
        manifest("v1", "Namespace", names.NAMESPACE),
        service,
        *istio().meter().policies,
        *istio().expose(Ingress((HOST,), "inference-tls", 30)),
        objects.service(MODEL),
        *(item for item in istio().route(MODEL, HOST) if isinstance(item, dict)),
    ]
    site.cluster.apply([_renamed(item) for item in made])
    asked = Proxy.of(site.simulated, "router", gateway.NAMESPACE, "istio=ingress")
    deadline = time.monotonic() + 15
    found: list[Resource] = []
    while time.monotonic() < deadline:
        for host in asked.routes(ROUTES)[ROUTES].get("virtualHosts", []):
            if host["domains"][0] == HOST:
                found = host["routes"]
        if len(found) >= 2:
            return found
        time.sleep(0.2)
    raise AssertionError(f"the routes have not reached the gateway: {found}")


def test_what_may_generate_goes_to_the_ai_gateway(routes: list[Resource]) -> None:
    counted = routes[0]
    (method,) = counted["match"]["headers"]
    assert method["name"] == ":method"
    assert method["stringMatch"]["safeRegex"]["regex"] == "POST|PUT|PATCH|DELETE"
    assert counted["route"]["cluster"] == f"outbound|{names.PORT}||{names.HOST}"
    assert counted["route"]["hostRewriteLiteral"] == MODEL.service_host
    assert counted["requestHeadersToRemove"] == [names.MODEL_HEADER]


def test_what_is_read_goes_to_the_model(routes: list[Resource]) -> None:
    rest = routes[-1]
    assert "headers" not in rest["match"]
    assert MODEL.service_host in json.dumps(rest["route"])
    assert names.HOST not in json.dumps(rest)
