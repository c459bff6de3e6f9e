from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes import Manifest
from components.mesh.protocol import Delivery, Metadata
from components.model import objects
from components.model.release import release
from components.model.settings import ModelSettings
from components.settings import Problem
from tests.components.samples import CUSTOM, NAME, PROMETHEUS, model, model_settings

DELIVERY = Delivery("mesh", "good / all", {"delegation": True})
PODS = 'namespace="ai-inference",pod=~"deepseek-r1-1[.]5b-[a-z0-9]+-[a-z0-9]+"'
QUEUE = {"signal": "queue-depth", "min": 2, "max": 4}


def made(**settings: Any) -> tuple[dict[str, Manifest], Manifest]:
    """The metrics by name, and the Canary."""
    wanted = model(**{"progressive": {}, **settings})
    *templates, canary = release(wanted, DELIVERY)
    return {each["metadata"]["name"]: each["spec"] for each in templates}, canary["spec"]


def deployment(**settings: Any) -> Manifest:
    wanted = model(progressive={}, **settings)
    return objects.deployment(wanted, wanted.stable, Metadata(), {})


def problems(**settings: Any) -> list[Problem]:
    return list(ModelSettings.model_validate(model_settings(**settings)).all_problems())


def test_default_configuration_has_no_release() -> None:
    assert release(model(), DELIVERY) == []


def test_the_canary_goes_in_the_steps_of_the_settings() -> None:
    progressive = {"step": 5, "max": 20, "interval": "30s", "threshold": 3}
    analysis = made(progressive=progressive)[1]["analysis"]
    assert (analysis["stepWeight"], analysis["maxWeight"]) == (5, 20)
    assert (analysis["interval"], analysis["threshold"]) == ("30s", 3)


def test_a_new_version_is_judged_by_success_latencies_and_queue() -> None:
    templates, canary = made()
    bounds = {each["name"]: each["thresholdRange"] for each in canary["analysis"]["metrics"]}
    assert bounds == {
        "success-rate": {"min": 99},
        "first-token": {"max": 2.0},
        "inter-token": {"max": 0.2},
        "queue-depth": {"max": 5},
    }
    named = [each["templateRef"] for each in canary["analysis"]["metrics"]]
    assert [each["name"] for each in named] == list(templates)
    assert {each["namespace"] for each in named} == {"ai-inference"}


def test_metrics_are_of_the_new_versions_pods_and_of_one_interval() -> None:
    templates, canary = made()
    bucket = f"vllm:time_to_first_token_seconds_bucket{{{PODS}}}[{{{{ interval }}}}]"
    query = templates[f"{NAME}-first-token"]["query"]
    assert query == f"histogram_quantile(0.95, sum by (le) (rate({bucket})))"
    gauge = f"vllm:num_requests_waiting{{{PODS}}}[{{{{ interval }}}}]"
    assert templates[f"{NAME}-queue-depth"]["query"] == f"avg(avg_over_time({gauge}))"
    assert templates[f"{NAME}-success-rate"]["query"] == "good / all"
    assert {each["interval"] for each in canary["analysis"]["metrics"]} == {"1m"}
    providers = [each["provider"] for each in templates.values()]
    assert providers == [{"type": "prometheus", "address": PROMETHEUS}] * 4


def test_a_measure_that_is_null_is_left_out() -> None:
    templates, canary = made(progressive={"analysis": {"queueDepth": None, "firstToken": None}})
    names = [each["name"] for each in canary["analysis"]["metrics"]]
    assert names == ["success-rate", "inter-token"]
    assert len(templates) == 2


def test_a_runtime_without_metrics_is_judged_by_its_answers() -> None:
    templates, _ = made(preset=None, runtime=CUSTOM)
    assert list(templates) == [f"{NAME}-success-rate"]


def test_a_deployment_that_flagger_scales_says_no_replicas_and_is_not_waited_for() -> None:
    for settings in ({"replicas": 3}, {"autoscaling": QUEUE}):
        content = deployment(**settings)
        assert "replicas" not in content["spec"]
        assert content["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    wanted = model()
    assert (
        "annotations" not in objects.deployment(wanted, wanted.stable, Metadata(), {})["metadata"]
    )


def test_a_fixed_number_of_replicas_is_kept_by_an_autoscaler_without_a_choice() -> None:
    (scaler,) = objects.autoscalers(model(progressive={}, replicas=3))
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (3, 3)
    reference = made(replicas=3)[1]["autoscalerRef"]
    assert reference == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "name": NAME,
    }


def test_the_copy_of_a_scaled_object_asks_for_the_copys_pods() -> None:
    reference = made(autoscaling=QUEUE)[1]["autoscalerRef"]
    assert (reference["kind"], reference["name"]) == ("ScaledObject", NAME)
    (query,) = reference["primaryScalerQueries"].values()
    assert 'pod=~"deepseek-r1-1[.]5b-primary-[a-z0-9]+-[a-z0-9]+"' in query
    (scaler,) = objects.autoscalers(model(progressive={}, autoscaling=QUEUE))
    assert list(reference["primaryScalerQueries"]) == [scaler["spec"]["triggers"][0]["name"]]


def test_policies_reach_the_copy_of_which_flagger_changes_one_label() -> None:
    wanted, content = model(progressive={}), deployment()
    pods = content["spec"]["template"]["metadata"]["labels"]
    copied = pods | {"app.kubernetes.io/instance": f"{NAME}-primary"}
    assert wanted.selector.items() <= copied.items()
    assert content["spec"]["selector"]["matchLabels"].items() <= pods.items()
    assert not content["spec"]["selector"]["matchLabels"].items() <= copied.items()


def test_flaggers_services_have_names_of_their_own() -> None:
    wanted = model(progressive={})
    service = made()[1]["service"]
    assert service["name"] == wanted.release_service != wanted.service
    assert (service["port"], service["targetPort"]) == (8000, "http")
    assert service["delegation"] is True
    assert made()[1]["provider"] == "mesh"


def test_a_release_has_as_long_to_start_as_a_pod() -> None:
    assert made()[1]["progressDeadlineSeconds"] == objects.progress_seconds(model())


def test_gates_and_load_tests_are_passed_on() -> None:
    hook = {
        "name": "load",
        "kind": "rollout",
        "url": "http://loadtester.tools/",
        "metadata": {"cmd": "hey -z 1m"},
    }
    assert made(progressive={"webhooks": [hook]})[1]["analysis"]["webhooks"] == [
        {
            "name": "load",
            "type": "rollout",
            "url": "http://loadtester.tools/",
            "timeout": "30s",
            "metadata": {"cmd": "hey -z 1m"},
        }
    ]


@pytest.mark.parametrize(
    ("settings", "path", "words"),
    [
        (
            {"progressive": {}, "canary": {"image": "a/b:1", "weight": 10}},
            ("canary",),
            "remove canary",
        ),
        (
            {
                "preset": None,
                "runtime": CUSTOM,
                "progressive": {"analysis": {"firstToken": "1s"}},
            },
            ("progressive", "analysis", "firstToken"),
            "has no such metric",
        ),
        (
            {"preset": None, "runtime": CUSTOM, "progressive": {"analysis": {"successRate": None}}},
            ("progressive", "analysis"),
            "nothing is left",
        ),
    ],
)
def test_what_flagger_could_not_do_is_refused(
    settings: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    (problem,) = problems(**settings)
    assert problem.path == path
    assert words in problem.message
