"""The examples of releases: what the program declares for each, with its names and numbers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from stacks.models import mirrored_gpus, models, released_gpus
from tests.stacks.files import ROOT, by_kind_and_name, recorded, settings

CANARY, MIRROR, PROGRESSIVE = (
    ROOT / "examples" / f"{name}-istio.yaml" for name in ("canary", "mirror", "progressive")
)
NAME = "llm-production"
HOST = "llm-production.llm-production.svc.cluster.local"
ROUTES = (NAME, f"{NAME}-gateway")


@cache
def objects(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return by_kind_and_name(recorded(path))


def spec(path: Path, kind: str, name: str = NAME) -> dict[str, Any]:
    found: dict[str, Any] = objects(path)[kind, name]["spec"]
    return found


def test_ninety_of_a_hundred_requests_get_the_stable_subset_and_ten_the_canary() -> None:
    defined = {each["name"]: each["labels"] for each in spec(CANARY, "DestinationRule")["subsets"]}
    for name in ROUTES:
        route = spec(CANARY, "VirtualService", name)["http"][-1]["route"]
        assert {each["destination"]["subset"]: each["weight"] for each in route} == {
            "stable": 90,
            "canary": 10,
        }
    for version, deployment in (("stable", NAME), ("canary", f"{NAME}-canary")):
        labels = spec(CANARY, "Deployment", deployment)["template"]["metadata"]["labels"]
        assert defined[version].items() <= labels.items()


def test_a_header_chooses_the_canary() -> None:
    for name in ROUTES:
        first = spec(CANARY, "VirtualService", name)["http"][0]
        assert first["match"] == [{"headers": {"x-model-version": {"exact": "canary"}}}]
        assert [each["destination"]["subset"] for each in first["route"]] == ["canary"]


def test_one_principal_may_post_completions_to_workloads_under_strict_mtls() -> None:
    assert spec(CANARY, "PeerAuthentication", "default") == {"mtls": {"mode": "STRICT"}}
    _, rule = spec(CANARY, "AuthorizationPolicy", f"{NAME}-callers")["rules"]
    assert rule["from"][0]["source"] == {"principals": ["cluster.local/ns/default/sa/api-gateway"]}
    operation = rule["to"][0]["operation"]
    assert (operation["methods"], operation["paths"]) == (["POST"], ["/v1/completions"])


def test_a_hundred_connections_and_no_reconnecting_of_streams() -> None:
    pool = spec(CANARY, "DestinationRule")["trafficPolicy"]["connectionPool"]
    assert pool["tcp"]["maxConnections"] == 100
    assert pool["http"]["h2UpgradePolicy"] == "DO_NOT_UPGRADE"
    assert "maxRequestsPerConnection" not in pool["http"]


def test_a_part_of_production_is_mirrored_to_staging_and_the_plan_says_what_it_costs() -> None:
    for name in ROUTES:
        (route,) = spec(MIRROR, "VirtualService", name)["http"]
        assert route["mirror"]["host"] == "llm-staging.llm-staging.svc.cluster.local"
        assert route["mirrorPercentage"] == {"value": 10}
    assert len(mirrored_gpus(models(settings(MIRROR)))) == 1


def test_a_release_goes_in_steps_of_ten_and_is_judged_in_every_interval() -> None:
    analysis = spec(PROGRESSIVE, "Canary")["analysis"]
    assert (analysis["stepWeight"], analysis["maxWeight"]) == (10, 50)
    assert (analysis["interval"], analysis["threshold"]) == ("1m", 5)
    assert {each["name"]: each["thresholdRange"] for each in analysis["metrics"]} == {
        "success-rate": {"min": 99},
        "first-token": {"max": 2},
        "inter-token": {"max": 0.2},
        "queue-depth": {"max": 5},
    }
    for each in analysis["metrics"]:
        template = spec(PROGRESSIVE, "MetricTemplate", each["templateRef"]["name"])
        assert template["provider"]["address"] == (
            "http://prometheus.monitoring.svc.cluster.local:9090"
        )


def test_a_release_finds_the_models_pods_and_its_autoscaler() -> None:
    canary = spec(PROGRESSIVE, "Canary")
    assert canary["targetRef"]["name"] == NAME
    reference = canary["autoscalerRef"]
    scaler = spec(PROGRESSIVE, reference["kind"], reference["name"])
    assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == (2, 6)
    values = objects(PROGRESSIVE)["Release", "flagger"]["values"]
    assert values["selectorLabels"] in spec(PROGRESSIVE, "Deployment")["selector"]["matchLabels"]


def test_what_flagger_owns_at_run_time_is_not_written() -> None:
    assert "replicas" not in spec(PROGRESSIVE, "Deployment")
    owned = {f"{NAME}-release", f"{NAME}-release-primary", f"{NAME}-release-canary"}
    written = {name for kind, name in objects(PROGRESSIVE) if kind in ("Service", "VirtualService")}
    assert not owned & written
    for name in ROUTES:
        delegate = spec(PROGRESSIVE, "VirtualService", name)["http"][0]["delegate"]
        assert delegate["name"] == f"{NAME}-release"


def test_the_plan_says_what_a_release_takes() -> None:
    (line,) = released_gpus(models(settings(PROGRESSIVE)))
    assert "up to 12 GPUs at its peak, 6 between releases" in line
