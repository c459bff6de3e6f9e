"""What is broken is refused: each kind of object, by the real API server or the real istiod."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from gitops.cluster import RefusedError
from tests.components.samples import NAME, model_settings, stack_mapping
from tests.stacks.conftest import Site
from tests.stacks.objects import Objects, objects, of_kind, platform

pytestmark = pytest.mark.cluster

Object = dict[str, Any]
Break = Callable[[Object], None]

EVERYTHING = stack_mapping(
    {
        NAME: model_settings(
            canary={"image": "vllm/vllm-openai:v0.32.1", "weight": 10},
            autoscaling={"signal": "cpu", "max": 4},
            cache={"kind": "pvc", "size": "50Gi"},
            callers=["frontend"],
            huggingFaceToken="hf_x",
        ),
        "hy-mt": model_settings(
            preset="hy-mt1.5-1.8b",
            route={"prefix": "/translate"},
            autoscaling={"signal": "queue-depth", "max": 4},
        ),
    },
    gateway={"host": "llm.example.com", "tls": {"issuer": "letsencrypt"}},
    tracing={"endpoint": "http://otel.observability:4317"},
)


@pytest.fixture(scope="module")
def sound() -> Objects:
    return objects(platform(EVERYTHING))


def test_as_they_are_all_objects_are_accepted(site: Site, sound: Objects) -> None:
    site.cluster.apply(list(sound.values()), dry_run=True)


def container(item: Object) -> Object:
    (only,) = item["spec"]["template"]["spec"]["containers"]
    return dict(only)


def spec(**fields: Any) -> Break:
    """Replace fields of the spec; None takes one away."""

    def change(item: Object) -> None:
        item["spec"] = {k: v for k, v in (item["spec"] | fields).items() if v is not None}

    change.__name__ = "_".join(fields)
    return change


def weigh(item: Object) -> None:
    item["spec"]["http"][0]["route"][0]["weight"] = -10


def retry_on_anything(item: Object) -> None:
    item["spec"]["http"][0]["retries"]["retryOn"] = "whatever-fails"


def warm_up_soon(item: Object) -> None:
    item["spec"]["trafficPolicy"]["loadBalancer"]["warmup"]["duration"] = "soon"


def eject_too_many(item: Object) -> None:
    item["spec"]["trafficPolicy"]["outlierDetection"]["maxEjectionPercent"] = 101


def no_such_cpu_target(item: Object) -> None:
    item["spec"]["metrics"][0]["containerResource"]["target"]["averageUtilization"] = 0


def twice_the_same_variable(item: Object) -> None:
    env = container(item)["env"]
    env.append(env[0])


def no_such_probe(item: Object) -> None:
    container(item)["startupProbe"]["failureThreshold"] = -1


def open_port(item: Object) -> None:
    item["spec"]["ports"][0]["targetPort"] = 70_000


def enforce_something(item: Object) -> None:
    item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "something"


def dots(item: Object) -> None:
    item["metadata"]["name"] = "deepseek-r1-1.5b-svc"


def capitals(item: Object) -> None:
    item["metadata"]["name"] = "DeepSeek"


def key_without_a_name(item: Object) -> None:
    item["stringData"] = {"not a key": "x"}


def too_many_samples(item: Object) -> None:
    item["spec"]["tracing"][0]["randomSamplingPercentage"] = 101


def fewer_than_none(item: Object) -> None:
    item["spec"]["inboundConnectionPool"]["http"]["http2MaxRequests"] = -1


def configure_no_such_filter(item: Object) -> None:
    value = item["spec"]["configPatches"][0]["patch"]["value"]
    value["typed_config"]["@type"] = "type.googleapis.com/no.such.Filter"


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("VirtualService", weigh, "weight"),
        ("VirtualService", retry_on_anything, "retryOn|retry"),
        ("VirtualService", spec(hosts=[]), "virtual service"),
        ("DestinationRule", warm_up_soon, "duration"),
        ("DestinationRule", eject_too_many, "(?i)percent"),
        ("DestinationRule", spec(host=None), "host"),
        ("Sidecar", fewer_than_none, "http2 max requests"),
        ("EnvoyFilter", configure_no_such_filter, "no.such.Filter"),
        ("Gateway", spec(servers=[]), "(?i)server"),
        ("PeerAuthentication", spec(mtls={"mode": "ALWAYS"}), "ALWAYS"),
        ("AuthorizationPolicy", spec(rules=[{"from": [{"source": {}}]}]), "source"),
        ("AuthorizationPolicy", spec(action="PERMIT"), "PERMIT"),
        ("Telemetry", too_many_samples, "(?i)percentage"),
        ("HorizontalPodAutoscaler", no_such_cpu_target, "averageUtilization"),
        ("HorizontalPodAutoscaler", spec(minReplicas=9), "maxReplicas"),
        ("ScaledObject", spec(triggers=None), "triggers"),
        ("Certificate", spec(issuerRef=None), "issuerRef"),
        ("Deployment", spec(replicas=-1), "replicas"),
        ("Deployment", spec(selector={"matchLabels": {"app": "other"}}), "selector"),
        ("Deployment", twice_the_same_variable, "duplicate"),
        ("Deployment", no_such_probe, "failureThreshold"),
        ("PodDisruptionBudget", spec(minAvailable=1), "minAvailable"),
        ("PersistentVolumeClaim", spec(accessModes=[]), "accessModes"),
        ("Service", open_port, "(?i)port"),
        ("Service", dots, "1.5b-svc"),
        ("ServiceAccount", capitals, "DeepSeek"),
        ("Secret", key_without_a_name, "not a key"),
        ("Namespace", enforce_something, "something"),
    ],
)
def test_a_broken_object_is_refused(
    site: Site, sound: Objects, kind: str, change: Break, words: str
) -> None:
    broken = deepcopy(of_kind(sound, kind)[0])
    change(broken)
    assert broken != of_kind(sound, kind)[0]
    with pytest.raises(RefusedError, match=words):
        site.cluster.apply([broken], dry_run=True)


def test_every_kind_of_object_is_broken_once(sound: Objects) -> None:
    (table,) = (
        mark.args[1]
        for mark in test_a_broken_object_is_refused.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    assert {kind for kind, *_ in sound} == {kind for kind, *_ in table}
