from __future__ import annotations

import json
from typing import Any

from components.chart import Values
from components.mesh.istio import gateway
from components.mesh.protocol import Ingress
from tests.components.samples import istio

INGRESS = Ingress(("deepseek-api.example.com", "b.example.com"), "certificate", grace_seconds=300)


def values(ingress: Ingress = INGRESS, **settings: Any) -> Values:
    (chart,) = istio(**settings).gateway(ingress)
    return chart.values


def servers() -> dict[int, dict[str, Any]]:
    (listeners,) = istio().expose(INGRESS)
    return {server["port"]["number"]: server for server in listeners["spec"]["servers"]}


def test_the_gateway_selects_the_labels_that_the_chart_gives_its_release() -> None:
    (listeners,) = istio().expose(INGRESS)
    release = istio().gateway(INGRESS)[0].release
    assert release == "istio-ingress"
    # The chart strips `istio-`; a tutorial's `ingressgateway` would match no pod.
    assert listeners["spec"]["selector"] == {"istio": "ingress"}


def test_the_identity_of_the_gateway_is_of_its_release_and_namespace() -> None:
    (chart,) = istio().gateway(INGRESS)
    expected = f"cluster.local/ns/{chart.namespace}/sa/{chart.release}"
    assert gateway.principal(istio().settings) == expected


def test_the_identity_follows_the_trust_domain() -> None:
    assert gateway.principal(istio(trust_domain="example.org").settings).startswith("example.org/")


def test_https_is_served_with_the_certificate() -> None:
    assert servers()[443]["port"]["protocol"] == "HTTPS"
    assert servers()[443]["tls"] == {"mode": "SIMPLE", "credentialName": "certificate"}
    assert servers()[443]["hosts"] == list(INGRESS.hosts)


def test_plain_http_is_only_redirected() -> None:
    assert servers()[80]["tls"] == {"httpsRedirect": True}
    assert set(servers()) == {80, 443}


def test_routes_find_the_gateway_where_it_is() -> None:
    (listeners,) = istio().expose(INGRESS)
    metadata = listeners["metadata"]
    assert f"{metadata['namespace']}/{metadata['name']}" == gateway.REFERENCE


def test_streams_through_a_gateway_that_stops_have_the_models_grace() -> None:
    assert values()["terminationGracePeriodSeconds"] == 300
    assert values()["env"]["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] == "true"


def test_the_gateway_is_two_replicas_or_one() -> None:
    assert values()["autoscaling"] == {"minReplicas": 2}
    assert values()["podDisruptionBudget"] == {"maxUnavailable": 1}
    (spread,) = values()["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == gateway.pod_selector()
    assert values(high_availability=False)["autoscaling"] == {"enabled": False}


def test_the_load_balancer_has_the_annotations_of_the_cloud() -> None:
    ingress = Ingress(("a.example.com",), "x", 30, {"example.com/type": "nlb"})
    assert values(ingress)["service"] == {"annotations": {"example.com/type": "nlb"}}
    assert "service" not in values()


def test_a_revision_injects_the_gateway_too() -> None:
    assert values(revision="v1-31-1")["revision"] == "v1-31-1"
    assert "revision" not in values()


def test_values_of_the_user_are_merged_over_ours() -> None:
    merged = values(values={"gateway": {"autoscaling": {"maxReplicas": 9}}})
    assert merged["autoscaling"] == {"minReplicas": 2, "maxReplicas": 9}


def test_what_is_no_models_is_answered_in_openais_words() -> None:
    ingress = Ingress(("a.example.com", "b.example.com"), "x", 30, open_hosts=("b.example.com",))
    _, answer = istio().expose(ingress)
    assert answer["spec"]["hosts"] == ["b.example.com"]
    assert answer["spec"]["gateways"] == [gateway.NAME]
    (route,) = answer["spec"]["http"]
    # No match at all: a gateway tries what matches everything after all else.
    assert "match" not in route
    assert route["directResponse"]["status"] == 404
    error = json.loads(route["directResponse"]["body"]["string"])["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert route["headers"]["response"]["set"] == {"content-type": "application/json"}


def test_a_host_that_a_model_takes_whole_has_no_other_answer() -> None:
    assert [item["kind"] for item in istio().expose(INGRESS)] == ["Gateway"]
