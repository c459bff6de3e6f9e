from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes import Manifest
from components.model.pod import pod_template
from components.secret import SecretReference
from tests.components.samples import CUSTOM, model


def template(**settings: Any) -> Manifest:
    wanted = model(**settings)
    return pod_template(wanted, wanted.versions[0], {"app": "x"}, {}, {})


def spec(**settings: Any) -> dict[str, Any]:
    return dict(template(**settings)["spec"])


def container(**settings: Any) -> dict[str, Any]:
    (only,) = spec(**settings)["containers"]
    return dict(only)


def test_pods_carry_their_version() -> None:
    assert template()["metadata"]["labels"] == {"app": "x", "version": "stable"}


def test_loading_is_waited_for_by_a_startup_probe_and_no_guess() -> None:
    probe = container()["startupProbe"]
    assert (probe["periodSeconds"], probe["failureThreshold"]) == (10, 60)
    assert "initialDelaySeconds" not in str(template())


def test_the_time_to_load_is_settable() -> None:
    probe = container(startup={"period": "30s", "failures": 100})["startupProbe"]
    assert (probe["periodSeconds"], probe["failureThreshold"]) == (30, 100)


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_no_probe_gives_up_after_the_one_second_that_a_prefill_misses(probe: str) -> None:
    assert container()[probe]["timeoutSeconds"] >= 5


def test_a_busy_server_is_left_out_early_and_killed_late() -> None:
    ready, alive = container()["readinessProbe"], container()["livenessProbe"]
    assert ready["periodSeconds"] * ready["failureThreshold"] <= 15
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 120


def test_probes_ask_the_runtimes_own_health_path() -> None:
    assert container()["readinessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    custom = container(runtime={**CUSTOM, "healthPath": "/healthz"})
    assert custom["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_no_warm_up_races_the_server_after_its_start() -> None:
    assert set(container()["lifecycle"]) == {"preStop"}


def test_a_pod_that_stops_serves_on_until_no_proxy_sends_to_it() -> None:
    assert container()["lifecycle"]["preStop"] == {"sleep": {"seconds": 15}}


def test_shutdown_fits_between_pre_stop_and_the_kill() -> None:
    pod = spec(gracePeriod="300s")
    (arguments,) = (found["args"] for found in pod["containers"])
    assert pod["terminationGracePeriodSeconds"] == 300
    assert "--shutdown-timeout=280" in arguments  # 300 - 15 preStop - 5 to exit


def test_workers_have_shared_memory() -> None:
    volumes = {volume["name"]: volume for volume in spec()["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"]}
    assert volumes[mounts["/dev/shm"]]["emptyDir"] == {"medium": "Memory", "sizeLimit": "2Gi"}


def test_every_mount_has_its_volume() -> None:
    for cache in (None, {"kind": "pvc", "size": "1Gi"}, {"kind": "hostPath", "path": "/x"}):
        volumes = {volume["name"] for volume in spec(cache=cache)["volumes"]}
        assert {mount["name"] for mount in container(cache=cache)["volumeMounts"]} == volumes


def test_pods_have_no_token_for_the_api_server_and_no_service_links() -> None:
    assert spec()["automountServiceAccountToken"] is False
    assert spec()["enableServiceLinks"] is False


def test_pods_run_as_a_user_with_no_way_to_more() -> None:
    pod, only = spec()["securityContext"], container()["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == pod["fsGroup"] == 1000
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_the_user_is_settable() -> None:
    assert spec(runtime={**CUSTOM, "user": 4711})["securityContext"]["runAsUser"] == 4711


def test_memory_is_limited_and_cpu_is_not() -> None:
    resources = container(resources={"cpu": 8, "memory": "24Gi"})["resources"]
    assert resources["requests"] == {"cpu": "8", "memory": "24Gi", "nvidia.com/gpu": "1"}
    assert resources["limits"] == {"memory": "24Gi", "nvidia.com/gpu": "1"}


def test_a_model_without_a_gpu_asks_for_none_and_tolerates_no_gpu_taint() -> None:
    assert "nvidia.com/gpu" not in str(container(gpu={"count": 0})["resources"])
    assert "tolerations" not in spec(gpu={"count": 0})


def test_gpu_nodes_are_tolerated_and_the_product_selected() -> None:
    pod = spec(gpu={"product": "NVIDIA-L4"}, nodeSelector={"zone": "a"})
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-L4", "zone": "a"}
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert pod["tolerations"] == [taint]


def test_tolerations_of_the_user_come_in_addition() -> None:
    given = {"key": "team", "operator": "Equal", "value": "search", "effect": "NoExecute"}
    assert spec(tolerations=[given])["tolerations"][1] == given


def test_replicas_spread_over_zones_and_nodes_but_run_in_any_case() -> None:
    spread = spec()["topologySpreadConstraints"]
    assert [item["topologyKey"] for item in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert {item["whenUnsatisfiable"] for item in spread} == {"ScheduleAnyway"}


def test_versions_are_spread_each_for_itself() -> None:
    labels = spec()["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    assert labels["version"] == "stable"


def test_secrets_are_read_by_reference() -> None:
    wanted = model()
    secrets = {"HF_TOKEN": SecretReference(secret="hub", key="token")}
    pod = pod_template(wanted, wanted.versions[0], {}, {}, secrets)["spec"]
    assert pod["containers"][0]["env"][-1] == {
        "name": "HF_TOKEN",
        "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}},
    }
