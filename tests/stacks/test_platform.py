"""The whole of a stack under mocks, and what of its surroundings it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import set_all_config

from simcluster import toolchain
from stacks.errors import ConfigurationError
from stacks.platform import build
from tests.components.recording import Deployment, deployed
from tests.components.samples import NAME, model_settings, stack

TWO_MODELS = {
    NAME: model_settings(route={"host": "deepseek.example.com"}, gracePeriod="5m"),
    "hy-mt": model_settings(
        preset="hy-mt1.5-1.8b", namespace="translation-serving", route={"prefix": "/translate"}
    ),
}


def platform(models: dict[str, Any] | None = None, **settings: Any) -> Deployment:
    return deployed(lambda: build(stack(models, **settings)))


def problems(**settings: Any) -> dict[str, str]:
    """What the platform refuses before anything is registered."""
    with pytest.raises(ConfigurationError) as refused:
        platform(**settings)
    return {".".join(path): message for path, message in refused.value.problems}


def test_every_component_is_there_once_and_complete() -> None:
    result = platform(TWO_MODELS)
    components = [resource for resource in result.resources if not resource.custom]
    assert sorted(resource.name for resource in components) == sorted(
        ["mesh", "gateway", "ai-inference", "translation-serving", *TWO_MODELS]
    )
    assert {component.urn for component in components} <= result.finished


def test_every_object_belongs_to_a_component() -> None:
    result = platform(TWO_MODELS)
    assert all(not result.parent(r).custom for r in result.resources if r.custom)


def test_two_runs_register_the_same() -> None:
    first, second = platform(TWO_MODELS), platform(TWO_MODELS)
    assert sorted(first.resources, key=lambda r: r.urn) == sorted(
        second.resources, key=lambda r: r.urn
    )


def test_a_namespace_is_made_once_for_all_its_models() -> None:
    models = {name: model_settings(route={"prefix": f"/{name}"}) for name in ("a", "b")}
    assert len(platform(models).all("InjectedNamespace")) == 1


def test_a_model_on_a_host_path_opens_its_own_namespace_alone() -> None:
    host_path = {"cache": {"kind": "hostPath", "path": "/var/lib/models"}}
    models = TWO_MODELS | {"hy-mt": TWO_MODELS["hy-mt"] | host_path}
    result = platform(models, mesh={"kind": "istio", "cni": True})
    levels = {
        r.inputs["metadata"]["name"]: r.inputs["metadata"]["labels"].get(
            "pod-security.kubernetes.io/enforce"
        )
        for r in result.all("Namespace")
    }
    assert levels["ai-inference"] == "restricted"
    assert levels["translation-serving"] == "privileged"


def test_the_gateway_serves_every_host_and_drains_as_long_as_the_slowest_model() -> None:
    result = platform(TWO_MODELS)
    server = result.one("Gateway", "inference").inputs["spec"]["servers"][0]
    assert server["hosts"] == ["llm.example.com", "deepseek.example.com"]
    values = result.one("Release", "istio-ingress").inputs["values"]
    assert values["terminationGracePeriodSeconds"] == 300


def test_without_a_gateway_models_are_in_the_mesh_alone() -> None:
    result = platform(gateway=None)
    assert result.all("Gateway") == []
    route = result.one("VirtualService").inputs["spec"]
    assert route["gateways"] == ["mesh"]
    policy = result.one("AuthorizationPolicy", "deepseek-r1-1-5b-callers").inputs["spec"]
    assert policy["rules"] == []


def rules(result: Deployment, name: str) -> list[dict[str, Any]]:
    return list(result.one("AuthorizationPolicy", f"{name}-callers").inputs["spec"]["rules"])


def test_where_plain_text_is_taken_a_model_is_open_to_everybody() -> None:
    models = {NAME: model_settings(callers=["frontend"])}
    strict = platform(models)
    assert all("from" in rule for rule in rules(strict, "deepseek-r1-1-5b"))
    permissive = platform(models, adoption="permissive")
    (rule,) = rules(permissive, "deepseek-r1-1-5b")
    assert "from" not in rule
    mode = permissive.one("PeerAuthentication").inputs["spec"]["mtls"]["mode"]
    assert mode == "PERMISSIVE"


def test_what_is_mirrored_reaches_the_other_model_and_is_let_in_there() -> None:
    mirror = {"model": "staging", "percent": 5, "sideEffects": "none"}
    models = {
        "live": model_settings(callers=["frontend"], traffic={"mirror": mirror}),
        "staging": model_settings(namespace="llm-staging", route=None),
    }
    result = platform(models)
    (route,) = result.one("VirtualService", "live").inputs["spec"]["http"]
    service = result.one("Service", "staging").inputs
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    assert route["mirror"]["host"] == host
    assert route["mirror"]["port"]["number"] == service["spec"]["ports"][0]["port"]
    admitted = [rule["from"] for rule in rules(result, "staging")]
    assert admitted == [rule["from"] for rule in rules(result, "live")] != []
    assert "mirror" not in result.one("VirtualService", "staging").inputs["spec"]["http"][0]


def test_models_with_the_same_app_label_have_their_own_pods() -> None:
    models = {
        name: model_settings(labels={"app": "llm"}, route={"prefix": f"/{name}"})
        for name in ("a", "b")
    }
    result = platform(models)
    one, other = (result.one("Service", name).inputs["spec"]["selector"] for name in ("a", "b"))
    assert one != other
    for name, selector in (("a", one), ("b", other)):
        template = result.one("Deployment", name).inputs["spec"]["template"]
        assert selector.items() <= template["metadata"]["labels"].items()


def test_spans_have_one_collector_for_proxies_and_servers() -> None:
    endpoint = "http://otel.observability:4317"
    result = platform(tracing={"endpoint": endpoint, "sampling": 5})
    assert result.one("Telemetry")
    container = result.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    assert f"--otlp-traces-endpoint={endpoint}" in container["args"]


def test_a_stack_without_models_is_the_mesh_and_its_gateway() -> None:
    assert platform({}).all("ModelServer") == []


def test_flagger_is_installed_once_where_a_model_is_released_by_it() -> None:
    assert platform(TWO_MODELS).all("Flagger") == []
    models = {name: settings | {"progressive": {}} for name, settings in TWO_MODELS.items()}
    result = platform(models, prometheus="http://prometheus.monitoring:9090")
    release = result.one("Release", "flagger").inputs
    assert release["values"]["metricsServer"] == "http://prometheus.monitoring:9090"
    assert release["namespace"] == "flagger-system"
    assert {canary.inputs["metadata"]["name"] for canary in result.all("Canary")} == set(models)


def test_linkerd_takes_flagger_in_once_it_is_there_itself() -> None:
    result = platform({NAME: model_settings(progressive={})}, mesh={"kind": "linkerd"})
    namespace = result.one("Namespace", "flagger-system")
    assert namespace.inputs["metadata"]["annotations"]["linkerd.io/inject"] == "enabled"
    release = result.one("Release", "flagger")
    assert release.inputs["values"]["linkerdAuthPolicy"] == {"create": True}
    for chart in ("linkerd-control-plane", "linkerd-viz"):
        assert result.follows(release, result.one("Release", chart))


def test_only_models_that_are_released_step_by_step_have_a_canary() -> None:
    models = TWO_MODELS | {NAME: TWO_MODELS[NAME] | {"progressive": {}}}
    result = platform(models)
    assert [each.inputs["metadata"]["name"] for each in result.all("Canary")] == [NAME]
    assert "replicas" not in result.one("Deployment", NAME).inputs["spec"]
    assert result.one("Deployment", "hy-mt").inputs["spec"]["replicas"] == 1


def test_a_canary_waits_for_flagger_its_pods_routes_and_autoscaler() -> None:
    result = platform({NAME: model_settings(progressive={})})
    canary = result.one("Canary")
    others = [result.one(kind) for kind in ("Deployment", "HorizontalPodAutoscaler")]
    for earlier in [*others, *result.all("VirtualService"), result.one("Release", "flagger")]:
        assert result.follows(canary, earlier)


def test_the_namespace_of_flagger_is_not_for_models() -> None:
    found = problems(models={NAME: model_settings(namespace="flagger-system")})
    assert f"models.{NAME}.namespace" in found


BUDGET = {"tokenBudget": {"tokens": 1000, "header": "x-user-id"}}


def test_the_ai_gateway_is_installed_once_where_callers_have_a_budget() -> None:
    assert platform(TWO_MODELS).all("AiGateway") == []
    models = {name: settings | {"traffic": BUDGET} for name, settings in TWO_MODELS.items()}
    result = platform(models)
    assert result.one("Release", "ai-gateway").inputs["namespace"] == "ai-gateway"
    assert len(result.all("AIGatewayRoute")) == len(models)


def test_requests_go_to_the_ai_gateway_once_it_knows_the_model() -> None:
    result = platform({NAME: model_settings(traffic=BUDGET)})
    route = result.one("AIGatewayRoute")
    assert result.follows(route, result.one("EnvoyProxy"))
    (public,) = (
        each
        for each in result.all("VirtualService")
        if "gateway" in each.inputs["metadata"]["name"]
    )
    assert result.follows(public, route)


def test_tokens_are_counted_only_of_what_comes_through_the_gateway() -> None:
    inside = problems(models={NAME: model_settings(traffic=BUDGET, route=None)})
    picked = BUDGET | {"balancing": {"policy": "endpoint-picker"}}
    for found in (inside, problems(models={NAME: model_settings(traffic=picked)})):
        assert f"models.{NAME}.traffic.tokenBudget" in found


def test_the_namespace_of_the_ai_gateway_is_not_for_models() -> None:
    found = problems(models={NAME: model_settings(namespace="ai-gateway")})
    assert f"models.{NAME}.namespace" in found


def test_addresses_are_those_of_the_services() -> None:
    urls: list[str] = []

    def program() -> None:
        server = build(stack()).models[NAME]
        server.url.apply(urls.append)

    deployed(program)
    assert urls == ["http://deepseek-r1-1-5b.ai-inference.svc.cluster.local:8000"]


@pytest.mark.parametrize("version", ["1.24", "1.31", "1.37"])
def test_a_kubernetes_that_the_mesh_does_not_support_is_refused(version: str) -> None:
    found = problems(cluster={"version": version})
    assert f"Kubernetes {version}" in found["mesh.version"]
    assert "1.32 to 1.36" in found["mesh.version"]


PICKER = {"balancing": {"policy": "endpoint-picker"}}


def test_a_pool_and_its_route_come_when_the_models_pods_are_there() -> None:
    models = {
        "a": model_settings(traffic=PICKER, service="llm"),
        "b": model_settings(
            traffic=PICKER, service="llm", namespace="other", route={"host": "b.example.com"}
        ),
    }
    result = platform(models)
    pools = [r for r in result.all("Release") if "inferencepool" in r.inputs["chart"]]
    assert {pool.name for pool in pools} == {"ai-inference/llm", "other/llm"}
    for pool in pools:
        namespace = pool.inputs["namespace"]
        route = next(
            r for r in result.all("HTTPRoute") if r.inputs["metadata"]["namespace"] == namespace
        )
        assert result.follows(route, pool)
        assert any(result.follows(pool, pods) for pods in result.all("Deployment"))
        istiod = result.one("Release", "istiod")
        assert result.follows(pool, istiod)
    definition = result.one(
        "CustomResourceDefinition", "inferencepools.inference.networking.k8s.io"
    )
    assert result.follows(istiod, definition)


def test_a_namespace_with_a_picker_takes_its_pod() -> None:
    models = {NAME: model_settings(traffic=PICKER)}
    result = platform(models, mesh={"kind": "istio", "cni": True})
    labels = result.one("Namespace", "ai-inference").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"


def test_the_charts_of_pool_and_router_are_missed_in_a_folder_too(tmp_path: Path) -> None:
    models = {
        "a": model_settings(traffic=PICKER),
        "b": model_settings(route={"host": "b.example.com", "byModel": True}),
    }
    missing = problems(models=models, charts=str(tmp_path))["charts"]
    assert "no chart base, istiod, gateway, body-based-routing, inferencepool" in missing


def test_a_picker_without_a_gateway_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        platform({"a": model_settings(traffic=PICKER)}, gateway=None)
    (problem,) = refused.value.problems
    assert problem.path == ("models", "a", "traffic", "balancing", "policy")
    assert "the stack has none; add a gateway" in problem.message


def test_a_folder_without_charts_is_refused(tmp_path: Path) -> None:
    found = problems(charts=str(tmp_path))
    assert "no chart base, istiod, gateway" in found["charts"]


def test_a_source_that_is_neither_folder_nor_mirror_is_refused() -> None:
    assert "oci://" in problems(charts="http://charts.example.com")["charts"]


@pytest.mark.parametrize("namespace", ["istio-system", "istio-ingress", "kube-system", "default"])
def test_a_namespace_of_something_else_is_refused(namespace: str) -> None:
    found = problems(models={NAME: model_settings(namespace=namespace)})
    assert namespace in found[f"models.{NAME}.namespace"]


def test_all_that_is_wrong_around_a_stack_is_reported_together(tmp_path: Path) -> None:
    found = problems(charts=str(tmp_path), cluster={"version": "1.24"})
    assert set(found) == {"charts", "mesh.version"}


def test_nothing_is_registered_where_something_is_refused() -> None:
    def program() -> None:
        with pytest.raises(ConfigurationError):
            build(stack(cluster={"version": "1.24"}))

    assert deployed(program).resources == []


@pytest.mark.cluster
def test_an_unreachable_cluster_is_said_in_kubectls_words(
    unreachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(unreachable))
    monkeypatch.setenv("PATH", f"{toolchain.bin_dir()}{os.pathsep}{os.environ['PATH']}")
    message = problems()["cluster"]
    assert message.startswith("the cluster does not answer: ")
    assert "refused" in message
    assert "set cluster.version" in message


def test_a_missing_kubectl_is_named(
    unreachable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(unreachable))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "kubectl is not on PATH" in problems()["cluster"]


def test_a_version_that_is_given_is_not_asked_for(
    unreachable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(unreachable))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert platform(cluster={"version": "1.36"}).one("ModelServer")


def test_the_cluster_asked_is_the_providers(
    unreachable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\necho gone >&2\nexit 1\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    set_all_config({"kubernetes:kubeconfig": str(unreachable), "kubernetes:context": "gone"}, [])
    try:
        assert "does not answer: gone" in problems()["cluster"]
    finally:
        set_all_config({}, [])
    said = (tmp_path / "said").read_text()
    assert f"--kubeconfig={unreachable}" in said
    assert "--context=gone" in said
