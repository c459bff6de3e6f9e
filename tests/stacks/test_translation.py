"""The translation scenario on Linkerd, with its exact names and numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.mesh.linkerd.control_plane import REPOSITORY
from gitops.errors import GitopsError
from gitops.manifests import in_waves
from gitops.record import record
from gitops.stackfile import StackFile
from stacks.schema import PREFIX
from tests.components.samples import model_settings, stack_mapping
from tests.stacks.files import PROGRAM, ROOT, by_kind_and_name, recorded, stack_file
from tests.stacks.objects import platform

CUSTOM = ROOT / "examples" / "hy-mt-linkerd.yaml"
VLLM = ROOT / "examples" / "hy-mt-linkerd-vllm.yaml"
NAME = "hy-mt-18b-inference"
SERVICE = "hy-mt-service"
NAMESPACE = "translation-serving"
MESH = f"{PREFIX}mesh"
PROXY = "config.linkerd.io/proxy"

both = pytest.mark.parametrize("path", [CUSTOM, VLLM], ids=lambda path: path.stem)


@cache
def objects(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return by_kind_and_name(recorded(path))


def spec(path: Path, kind: str, name: str) -> dict[str, Any]:
    return dict(objects(path)[kind, name]["spec"])


def pod(path: Path) -> dict[str, Any]:
    return dict(spec(path, "Deployment", NAME)["template"])


def container(path: Path) -> dict[str, Any]:
    return dict(pod(path)["spec"]["containers"][0])


@both
def test_linkerd_is_installed_from_its_charts(path: Path) -> None:
    releases = [
        (resource.name, resource.inputs["namespace"], resource.inputs["version"])
        for resource in recorded(path).resources
        if resource.type.endswith(":Release")
    ]
    assert releases[:3] == [
        ("linkerd-crds", "linkerd", "2026.9.1"),
        ("linkerd-control-plane", "linkerd", "2026.9.1"),
        ("linkerd-viz", "linkerd-viz", "2026.9.1"),
    ]
    for name in ("linkerd-crds", "linkerd-control-plane", "linkerd-viz"):
        assert objects(path)["Release", name]["repositoryOpts"]["repo"] == REPOSITORY


@both
def test_the_gateway_api_is_there_before_linkerd_which_looks_once(path: Path) -> None:
    resources = recorded(path).resources
    definitions = {r.urn for r in resources if r.type.endswith(":CustomResourceDefinition")}
    (charts,) = (r for r in resources if r.name == "linkerd-crds")
    assert definitions <= set(charts.depends_on)


@both
def test_the_anchor_and_the_issuer_are_certificates_of_cert_manager(path: Path) -> None:
    issuer = spec(path, "Certificate", "linkerd-identity-issuer")
    assert issuer["issuerRef"]["name"] == "linkerd-identity-issuer"
    assert ("Bundle", "linkerd-identity-trust-roots") in objects(path)
    values = objects(path)["Release", "linkerd-control-plane"]["values"]
    assert values["identity"]["externalCA"] is True


@both
def test_namespace_translation_serving_is_injected(path: Path) -> None:
    metadata = objects(path)["Namespace", NAMESPACE]["metadata"]
    assert metadata["annotations"]["linkerd.io/inject"] == "enabled"


@both
def test_three_replicas_have_one_gpu_24_gib_and_8_cores_each(path: Path) -> None:
    assert spec(path, "Deployment", NAME)["replicas"] == 3
    resources = container(path)["resources"]
    assert resources["requests"] == {"cpu": "8", "memory": "24Gi", "nvidia.com/gpu": "1"}
    assert resources["limits"] == {"memory": "24Gi", "nvidia.com/gpu": "1"}
    assert pod(path)["metadata"]["labels"]["app"] == "hy-mt-translator"


@both
def test_the_service_is_on_7860_inside_the_cluster(path: Path) -> None:
    service = spec(path, "Service", SERVICE)
    assert (service["type"], service["ports"][0]["port"]) == ("ClusterIP", 7860)
    assert container(path)["ports"] == [{"name": "http", "containerPort": 7860}]


@pytest.mark.parametrize(("path", "health"), [(CUSTOM, "/healthz"), (VLLM, "/health")])
def test_the_health_path_is_the_runtimes_own(path: Path, health: str) -> None:
    for probe in ("readinessProbe", "livenessProbe"):
        assert container(path)[probe]["httpGet"]["path"] == health


@both
def test_proxies_take_5_thousandths_of_a_core_and_10_mib(path: Path) -> None:
    annotations = pod(path)["metadata"]["annotations"]
    assert annotations[f"{PROXY}-cpu-request"] == "5m"
    assert annotations[f"{PROXY}-memory-request"] == "10Mi"
    assert annotations[f"{PROXY}-memory-limit"] == "50Mi"


@both
def test_the_proxy_is_there_before_the_model_and_after_it(path: Path) -> None:
    annotations = pod(path)["metadata"]["annotations"]
    assert annotations[f"{PROXY}-enable-native-sidecar"] == "true"
    assert annotations["config.linkerd.io/shutdown-grace-period"] == "180s"


def test_translations_have_retries_a_circuit_breaker_and_a_timeout() -> None:
    route = objects(CUSTOM)["HTTPRoute", SERVICE]["metadata"]["annotations"]
    assert route == {"retry.linkerd.io/limit": "2", "timeout.linkerd.io/response": "60s"}
    service = objects(CUSTOM)["Service", SERVICE]["metadata"]["annotations"]
    assert service["balancer.linkerd.io/failure-accrual"] == "consecutive"
    assert service["balancer.linkerd.io/failure-accrual-consecutive-max-failures"] == "5"


def test_streams_of_vllm_have_no_timeout() -> None:
    route = objects(VLLM)["HTTPRoute", SERVICE]["metadata"]["annotations"]
    assert not any(key.startswith("timeout.") for key in route)
    (outside,) = spec(VLLM, "HTTPRoute", f"{SERVICE}-gateway")["rules"]
    assert outside["timeouts"] == {"request": "0s"}


@both
def test_metrics_are_kept_for_an_hour(path: Path) -> None:
    prometheus = objects(path)["Release", "linkerd-viz"]["values"]["prometheus"]
    assert prometheus["args"] == {"storage.tsdb.retention.time": "1h"}


@both
def test_only_the_named_namespace_may_call_in_the_mesh(path: Path) -> None:
    assert spec(path, "Server", NAME)["accessPolicy"] == "deny"
    callers = spec(path, "MeshTLSAuthentication", f"{NAME}-callers")["identities"]
    assert callers == ["*.frontend.serviceaccount.identity.linkerd.cluster.local"]


def test_the_outside_comes_in_by_a_meshed_gateway() -> None:
    assert spec(VLLM, "Gateway", "inference")["gatewayClassName"] == "inference"
    controller = objects(VLLM)["Release", "envoy-gateway"]
    assert (controller["chart"], controller["version"]) == (
        "oci://docker.io/envoyproxy/gateway-helm",
        "v1.9.1",
    )
    proxies = spec(VLLM, "EnvoyProxy", "inference")["provider"]["kubernetes"]
    assert proxies["envoyDeployment"]["pod"]["annotations"]["linkerd.io/inject"] == "enabled"
    gateway = "inference.envoy-gateway-system.serviceaccount.identity.linkerd.cluster.local"
    admitted = [
        item["spec"]["identities"]
        for (kind, _), item in objects(VLLM).items()
        if kind == "MeshTLSAuthentication"
    ]
    assert [gateway] in admitted


def test_a_tenth_of_the_requests_goes_to_the_canary() -> None:
    (rule,) = spec(VLLM, "HTTPRoute", SERVICE)["rules"]
    weights = {entry["name"]: entry["weight"] for entry in rule["backendRefs"]}
    assert weights == {f"{SERVICE}-stable": 90, f"{SERVICE}-canary": 10}


@both
def test_two_recordings_are_the_same_and_hold_no_certificate(path: Path) -> None:
    assert recorded(path) == recorded(path)
    assert "BEGIN" not in str(recorded(path).resources)


def test_certificates_that_pulumi_makes_are_refused_where_it_does_not_run() -> None:
    stack = stack_file(CUSTOM)
    mesh = json.loads(stack.config[MESH]) | {"identity": {"source": "pulumi"}}
    made = StackFile(stack.name, dict(stack.config) | {MESH: json.dumps(mesh)})
    with pytest.raises(GitopsError, match=r"need the Pulumi CLI:\n  linkerd-anchor-a \(tls:"):
        in_waves(record(PROGRAM, made))


def test_every_namespace_has_its_own_choice_of_injection() -> None:
    own = {
        "a": model_settings(namespace="in", route=None),
        "b": model_settings(namespace="out", route=None),
    }
    choice = {"out": {"adoption": "unmeshed"}}
    made = platform(stack_mapping(own, mesh={"kind": "linkerd"}, gateway=None, namespaces=choice))
    injected = {
        name: made.one("Namespace", name).inputs["metadata"].get("annotations", {})
        for name in ("in", "out")
    }
    assert injected["in"]["linkerd.io/inject"] == "enabled"
    assert "linkerd.io/inject" not in injected["out"]
    pods = made.one("Deployment", "b").inputs["spec"]["template"]["metadata"]["annotations"]
    assert pods["linkerd.io/inject"] == "disabled"
