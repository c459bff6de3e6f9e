from __future__ import annotations

from typing import Any

from components.kubernetes import Manifest
from components.mesh.protocol import Metadata
from components.model import objects
from tests.components.samples import CUSTOM, NAME, model

CANARY = {"image": "vllm/vllm-openai:v0.32.1", "weight": 10}
CPU = {"signal": "cpu", "min": 2, "max": 10, "target": 70}


def deployment(version: int = 0, pod: Metadata | None = None, **settings: Any) -> Manifest:
    wanted = model(**settings)
    return objects.deployment(wanted, wanted.versions[version], pod or Metadata(), {})


def test_default_configuration_is_one_replica() -> None:
    assert deployment()["spec"]["replicas"] == 1


def test_no_replicas_stand_beside_an_autoscaler() -> None:
    assert "replicas" not in deployment(autoscaling=CPU)["spec"]


def test_a_canary_has_its_own_deployment_image_and_replicas() -> None:
    canary = deployment(1, autoscaling=CPU, canary=CANARY | {"replicas": 2})
    assert canary["metadata"]["name"] == f"{NAME}-canary"
    assert canary["spec"]["replicas"] == 2
    assert canary["spec"]["template"]["spec"]["containers"][0]["image"] == CANARY["image"]


def test_deployments_of_two_versions_select_different_pods() -> None:
    stable, canary = (deployment(version, canary=CANARY) for version in (0, 1))
    assert stable["spec"]["selector"] != canary["spec"]["selector"]


def test_a_deployment_selects_the_pods_that_it_makes() -> None:
    for version in (0, 1):
        spec = deployment(version, canary=CANARY)["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_a_rollout_takes_one_pod_away_and_needs_no_spare_gpu() -> None:
    rollout = {"maxSurge": 0, "maxUnavailable": 1}
    assert deployment()["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rollout}


def test_a_rollout_counts_as_stuck_only_after_the_time_to_pull_and_load() -> None:
    spec = deployment(startup={"period": "10s", "failures": 180})["spec"]
    probe = spec["template"]["spec"]["containers"][0]["startupProbe"]
    loading = probe["periodSeconds"] * probe["failureThreshold"]
    assert spec["progressDeadlineSeconds"] == 900 + loading


def test_pods_carry_what_the_mesh_gives_them() -> None:
    pod = Metadata({"in": "mesh"}, {"sidecar": "native"})
    metadata = deployment(pod=pod)["spec"]["template"]["metadata"]
    assert metadata["labels"]["in"] == "mesh"
    assert metadata["annotations"]["sidecar"] == "native"


def test_the_mesh_merges_the_metrics_that_vllm_serves_on_its_port() -> None:
    annotations = deployment()["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8000",
        "prometheus.io/path": "/metrics",
    }


def test_a_server_without_metrics_is_not_scraped() -> None:
    assert "annotations" not in deployment(runtime=CUSTOM)["spec"]["template"]["metadata"]


def test_the_service_is_reachable_by_the_container_ports_name() -> None:
    spec = objects.service(model())["spec"]
    (port,) = spec["ports"]
    assert (port["port"], port["targetPort"], port["appProtocol"]) == (8000, "http", "http")
    container = deployment()["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]


def test_the_service_is_in_front_of_all_versions() -> None:
    assert objects.service(model(canary=CANARY))["spec"]["selector"] == {
        "app.kubernetes.io/name": NAME
    }


def test_the_service_account_mounts_no_token() -> None:
    account = objects.service_account(model())
    assert account["automountServiceAccountToken"] is False
    used = deployment()["spec"]["template"]["spec"]["serviceAccountName"]
    assert account["metadata"]["name"] == used


def test_a_drain_takes_one_replica_at_a_time_and_any_that_is_broken() -> None:
    spec = objects.disruption_budget(model())["spec"]
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": NAME}}
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert "minAvailable" not in spec


def test_the_autoscaler_is_of_the_stable_deployment_and_the_models_container() -> None:
    (scaler,) = objects.autoscalers(model(autoscaling=CPU, canary=CANARY))
    assert scaler["spec"]["scaleTargetRef"]["name"] == NAME
    name = deployment()["spec"]["template"]["spec"]["containers"][0]["name"]
    assert scaler["spec"]["metrics"][0]["containerResource"]["container"] == name


def test_without_autoscaling_there_is_no_autoscaler() -> None:
    assert objects.autoscalers(model()) == []


def test_a_whole_rollout_may_take_every_replica_its_time() -> None:
    # 900 s to pull + 600 s to load + 180 s to stop, for each of the replicas, two at a time.
    assert objects.rollout_seconds(model(replicas=4)) == 4 * 1680
    assert objects.rollout_seconds(model(replicas=4, rollout={"surge": 1})) == 2 * 1680
    assert objects.rollout_seconds(model(autoscaling=CPU)) == 10 * 1680
    assert objects.rollout_seconds(model(canary=CANARY | {"replicas": 3})) == 3 * 1680
