from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from components.chart import Chart
from components.kubernetes import Manifest
from components.mesh.linkerd import Linkerd, gateway
from components.mesh.protocol import Ingress
from tests.components.samples import linkerd

INGRESS = Ingress(("deepseek-api.example.com", "b.example.com"), "certificate", grace_seconds=300)
OTHER = {
    "kind": "class",
    "name": "nginx",
    "principal": "cluster.local/ns/nginx-gateway/sa/nginx-gateway",
}


def charts(**settings: Any) -> dict[str, Chart]:
    return {
        part.release: part
        for part in linkerd(**settings).gateway(INGRESS)
        if isinstance(part, Chart)
    }


def listening(ingress: Ingress = INGRESS, **settings: Any) -> dict[str, Manifest]:
    return {item["kind"]: item for item in linkerd(**settings).expose(ingress)}


def kubernetes(ingress: Ingress = INGRESS, **settings: Any) -> dict[str, Any]:
    proxies = listening(ingress, **settings)["EnvoyProxy"]["spec"]
    return dict(proxies["provider"]["kubernetes"])


def pod_annotations() -> dict[str, str]:
    return dict(kubernetes()["envoyDeployment"]["pod"]["annotations"])


def test_envoy_gateway_is_installed_and_claims_nothing_of_the_gateway_api() -> None:
    (chart,) = charts().values()
    assert (chart.name, chart.version) == ("gateway-helm", "v1.9.1")
    assert chart.values["crds"] == {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}}


def test_one_that_is_there_already_is_not_installed_again() -> None:
    assert charts(gateway={"kind": "envoy-gateway", "install": False}) == {}
    assert charts(gateway=OTHER) == {}


def test_the_gateway_is_of_the_class_that_the_stack_makes() -> None:
    found = listening()
    assert found["GatewayClass"]["spec"]["controllerName"].startswith("gateway.envoyproxy.io/")
    name = found["GatewayClass"]["metadata"]["name"]
    assert found["Gateway"]["spec"]["gatewayClassName"] == name


def test_the_proxies_of_the_gateway_are_in_the_mesh() -> None:
    reference = listening()["Gateway"]["spec"]["infrastructure"]["parametersRef"]
    assert reference["name"] == listening()["EnvoyProxy"]["metadata"]["name"]
    assert pod_annotations()["linkerd.io/inject"] == "enabled"


def test_what_is_outside_reaches_the_gateway_and_not_its_mesh_proxy() -> None:
    assert pod_annotations()["config.linkerd.io/skip-inbound-ports"] == "10080,10443"


def test_the_gateway_sends_to_services_so_that_linkerd_balances() -> None:
    assert listening()["EnvoyProxy"]["spec"]["routingType"] == "Service"


def test_the_identity_of_the_gateway_is_of_its_account_and_namespace() -> None:
    account = kubernetes()["envoyServiceAccount"]["name"]
    place = linkerd().gateway_namespace
    assert gateway.principal(linkerd().settings) == f"cluster.local/ns/{place}/sa/{account}"
    assert listening()["Gateway"]["metadata"]["namespace"] == place


def test_the_identity_follows_the_trust_domain() -> None:
    found = gateway.principal(linkerd(trust_domain="example.org").settings)
    assert found.startswith("example.org/")


def test_another_class_is_used_with_the_identity_that_is_given_for_it() -> None:
    found = listening(gateway=OTHER)
    assert set(found) == {"Gateway", "HTTPRoute"}
    assert found["Gateway"]["spec"]["gatewayClassName"] == "nginx"
    assert gateway.principal(linkerd(gateway=OTHER).settings) == OTHER["principal"]
    meshed = found["Gateway"]["spec"]["infrastructure"]["annotations"]
    assert meshed == {"linkerd.io/inject": "enabled"}


def test_https_is_served_with_the_certificate_and_http_is_redirected() -> None:
    found = listening()
    listeners = {entry["port"]: entry for entry in found["Gateway"]["spec"]["listeners"]}
    assert listeners[443]["tls"]["certificateRefs"][0]["name"] == "certificate"
    assert found["HTTPRoute"]["spec"]["parentRefs"][0]["sectionName"] == listeners[80]["name"]


def test_a_response_that_is_silent_for_long_is_not_cut() -> None:
    policy = listening()["ClientTrafficPolicy"]["spec"]
    assert policy["timeout"]["http"]["streamIdleTimeout"] == "0s"
    assert policy["targetRefs"][0]["name"] == listening()["Gateway"]["metadata"]["name"]


def test_streams_through_a_gateway_that_stops_have_the_models_grace() -> None:
    assert listening()["EnvoyProxy"]["spec"]["shutdown"]["drainTimeout"] == "300s"
    assert pod_annotations()["config.linkerd.io/shutdown-grace-period"] == "300s"


def test_the_gateway_is_two_replicas_or_one() -> None:
    assert kubernetes()["envoyDeployment"]["replicas"] == 2
    assert kubernetes()["envoyPDB"] == {"maxUnavailable": 1}
    one = kubernetes(high_availability=False)
    assert "replicas" not in one["envoyDeployment"]
    assert "envoyPDB" not in one


def test_the_load_balancer_has_the_annotations_of_the_cloud() -> None:
    ingress = Ingress(("a.example.com",), "x", 30, {"example.com/type": "nlb"})
    assert kubernetes(ingress)["envoyService"]["annotations"] == {"example.com/type": "nlb"}
    assert "annotations" not in kubernetes()["envoyService"]


def test_traces_begin_at_the_gateway() -> None:
    collector = "http://otel-collector.observability.svc.cluster.local:4317"
    mesh = Linkerd(linkerd().settings, collector)
    sampled = replace(INGRESS, traces_sampling_percent=2.5)
    (proxies,) = (item for item in mesh.expose(sampled) if item["kind"] == "EnvoyProxy")
    tracing = proxies["spec"]["telemetry"]["tracing"]
    assert tracing["samplingFraction"] == {"numerator": 250, "denominator": 10_000}
    assert tracing["provider"]["backendRefs"] == [
        {"name": "otel-collector", "namespace": "observability", "port": 4317}
    ]
    assert "telemetry" not in listening()["EnvoyProxy"]["spec"]


def test_what_is_no_models_is_answered_with_a_404_that_clients_show() -> None:
    made = linkerd().expose(replace(INGRESS, open_hosts=("b.example.com",)))
    (answer,) = (item for item in made if item["kind"] == "HTTPRouteFilter")
    (route,) = (
        item
        for item in made
        if item["metadata"]["name"] == "inference-not-found" and item["kind"] == "HTTPRoute"
    )
    assert answer["spec"]["directResponse"]["statusCode"] == 404
    body = json.loads(answer["spec"]["directResponse"]["body"]["inline"])
    assert body["error"]["code"] == "model_not_found"
    assert route["spec"]["hostnames"] == ["b.example.com"]
    (filtered,) = route["spec"]["rules"][0]["filters"]
    assert filtered["extensionRef"]["name"] == answer["metadata"]["name"]
    assert "HTTPRouteFilter" not in listening()


def test_values_of_the_user_are_merged_over_ours() -> None:
    values = charts(values={"gateway": {"deployment": {"replicas": 3}}})["envoy-gateway"].values
    assert values["deployment"] == {"replicas": 3}


def test_pods_of_the_gateways_namespace_may_redirect_traffic() -> None:
    labels = linkerd().gateway_namespace_metadata().labels
    assert labels == {"pod-security.kubernetes.io/enforce": "privileged"}
    assert linkerd(gateway=OTHER).gateway_namespace_metadata().labels == {}
