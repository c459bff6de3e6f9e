"""The committed stacks: each loads, and the DeepSeek scenario has its exact names and numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.mesh.istio.control_plane import REPOSITORY
from tests.stacks.files import FILES, ROOT, by_kind_and_name, recorded, settings

CUSTOM = ROOT / "examples" / "deepseek-istio.yaml"
VLLM = ROOT / "examples" / "deepseek-istio-vllm.yaml"
NAME = "deepseek-r1-1.5b"
SERVICE = "deepseek-r1-1-5b-svc"
HOST = f"{SERVICE}.ai-inference.svc.cluster.local"
GATEWAY = "cluster.local/ns/istio-ingress/sa/istio-ingress"

both = pytest.mark.parametrize("path", [CUSTOM, VLLM], ids=lambda path: path.stem)


@cache
def objects(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return by_kind_and_name(recorded(path))


def spec(path: Path, kind: str, name: str) -> dict[str, Any]:
    return dict(objects(path)[kind, name]["spec"])


def container(path: Path) -> dict[str, Any]:
    return dict(spec(path, "Deployment", NAME)["template"]["spec"]["containers"][0])


def environment(path: Path) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(path)["env"]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_stack_is_deployable(path: Path) -> None:
    assert settings(path).models
    deployments = {name for kind, name in objects(path) if kind == "Deployment"}
    assert set(settings(path).models) <= deployments


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_stack_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40


@both
def test_istio_is_installed_from_its_charts(path: Path) -> None:
    releases = {
        name: (item["chart"], item["namespace"], item["version"], item["repositoryOpts"]["repo"])
        for (kind, name), item in objects(path).items()
        if kind == "Release"
    }
    assert releases == {
        "istio-base": ("base", "istio-system", "1.31.1", REPOSITORY),
        "istiod": ("istiod", "istio-system", "1.31.1", REPOSITORY),
        "istio-ingress": ("gateway", "istio-ingress", "1.31.1", REPOSITORY),
    }


@both
def test_namespace_ai_inference_is_injected(path: Path) -> None:
    labels = objects(path)["Namespace", "ai-inference"]["metadata"]["labels"]
    assert labels["istio-injection"] == "enabled"


@both
def test_one_replica_takes_one_gpu_16_gib_and_4_cores(path: Path) -> None:
    resources = container(path)["resources"]
    assert resources["requests"] == {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
    assert resources["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "1"}


def test_the_custom_image_serves_on_7860_with_healthz() -> None:
    assert container(CUSTOM)["image"] == "registry.example.com/deepseek-r1-1.5b:v1"
    assert container(CUSTOM)["ports"] == [{"name": "http", "containerPort": 7860}]
    assert container(CUSTOM)["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert spec(CUSTOM, "Service", SERVICE)["ports"][0]["port"] == 7860


def test_vllm_serves_on_its_own_port() -> None:
    assert spec(VLLM, "Service", SERVICE)["ports"][0]["port"] == 8000
    assert container(VLLM)["image"].startswith("vllm/vllm-openai:")


def test_weights_are_kept_on_the_node_or_a_claim() -> None:
    volumes = spec(CUSTOM, "Deployment", NAME)["template"]["spec"]["volumes"]
    assert volumes[0]["hostPath"]["path"] == "/var/lib/models"
    assert ("PersistentVolumeClaim", "deepseek-r1-1-5b-models") in objects(VLLM)


@both
def test_the_gateway_serves_https_for_the_host_and_redirects_http(path: Path) -> None:
    gateway = spec(path, "Gateway", "inference")
    https, http = gateway["servers"]
    assert https["hosts"] == http["hosts"] == ["deepseek-api.example.com"]
    assert (https["port"]["number"], https["port"]["protocol"]) == (443, "HTTPS")
    assert http["tls"]["httpsRedirect"] is True
    assert gateway["selector"] == {"istio": "ingress"}
    certificate = spec(path, "Certificate", https["tls"]["credentialName"])
    assert certificate["dnsNames"] == ["deepseek-api.example.com"]


@both
def test_requests_are_routed_by_weight(path: Path) -> None:
    for name, host in ((SERVICE, HOST), (f"{SERVICE}-gateway", "deepseek-api.example.com")):
        routing = spec(path, "VirtualService", name)
        assert routing["hosts"] == [host]
        (route,) = routing["http"]
        weights = {entry["destination"]["subset"]: entry["weight"] for entry in route["route"]}
        assert weights == {"stable": 90, "canary": 10}


def test_the_custom_server_has_a_timeout_that_its_retries_fit() -> None:
    (route,) = spec(CUSTOM, "VirtualService", SERVICE)["http"]
    assert route["timeout"] == "30s"
    assert (route["retries"]["attempts"], route["retries"]["perTryTimeout"]) == (2, "10s")


def test_streams_of_vllm_have_no_timeout() -> None:
    (route,) = spec(VLLM, "VirtualService", SERVICE)["http"]
    assert "timeout" not in route


@both
def test_only_the_named_namespaces_and_the_gateway_may_call(path: Path) -> None:
    assert spec(path, "PeerAuthentication", "default") == {"mtls": {"mode": "STRICT"}}
    assert spec(path, "AuthorizationPolicy", "allow-nothing") == {}
    policy = spec(path, "AuthorizationPolicy", "deepseek-r1-1-5b-callers")
    assert [rule["from"][0]["source"] for rule in policy["rules"]] == [
        {"principals": [GATEWAY]},
        {"namespaces": ["frontend"]},
        {"namespaces": ["processing"]},
    ]


def test_the_custom_server_scales_from_2_to_10_at_70_percent_cpu_without_the_sidecar() -> None:
    scaler = spec(CUSTOM, "HorizontalPodAutoscaler", NAME)
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    (metric,) = scaler["metrics"]
    assert metric["type"] == "ContainerResource"
    assert metric["containerResource"]["container"] == "model"
    assert metric["containerResource"]["target"]["averageUtilization"] == 70
    assert "replicas" not in spec(CUSTOM, "Deployment", NAME)


def test_vllm_scales_from_2_to_10_on_its_queue() -> None:
    scaler = spec(VLLM, "ScaledObject", NAME)
    assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == (2, 10)
    assert "vllm:num_requests_waiting" in scaler["triggers"][0]["metadata"]["query"]


@both
def test_a_slow_load_is_waited_for_and_the_proxy_is_there_first(path: Path) -> None:
    probe = container(path)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 600
    metadata = spec(path, "Deployment", NAME)["template"]["metadata"]
    assert metadata["annotations"]["sidecar.istio.io/nativeSidecar"] == "true"


def test_the_custom_server_learns_its_limits_by_its_environment() -> None:
    limits = {
        "DTYPE": "bfloat16",
        "MAX_NEW_TOKENS": "2048",
        "TEMPERATURE": "0.6",
        "TOP_P": "0.95",
    }
    assert limits.items() <= environment(CUSTOM).items()


def test_vllm_learns_its_limits_by_its_arguments() -> None:
    arguments = dict(text.partition("=")[::2] for text in container(VLLM)["args"])
    assert arguments["--dtype"] == "bfloat16"
    assert json.loads(arguments["--override-generation-config"]) == {
        "max_new_tokens": 2048,
        "temperature": 0.6,
        "top_p": 0.95,
    }


@both
def test_the_stack_exports_where_it_is_reached(path: Path) -> None:
    port = 7860 if path == CUSTOM else 8000
    assert recorded(path).outputs == {
        "models": {NAME: f"http://{HOST}:{port}"},
        "gateway": "https://deepseek-api.example.com",
    }


def test_production_runs_several_models_under_one_certificate() -> None:
    path = ROOT / "Pulumi.prod.yaml"
    assert len(settings(path).models) > 1
    assert spec(path, "Certificate", "inference-tls")["dnsNames"] == [
        "llm.example.com",
        "deepseek-api.example.com",
    ]
    assert objects(path)["Release", "istiod"]["values"]["autoscaleMin"] >= 2
    budgets = {name for kind, name in objects(path) if kind == "PodDisruptionBudget"}
    assert budgets == set(settings(path).models)


def test_development_is_small_and_permissive() -> None:
    path = ROOT / "Pulumi.dev.yaml"
    assert settings(path).adoption == "permissive"
    assert not settings(path).mesh.high_availability
    assert spec(path, "Deployment", "hy-mt")["replicas"] == 1
