from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.adoption import Adoption
from components.kubernetes import Manifest
from components.model.model import Model
from tests.components.samples import CUSTOM, NAME, ambient, model

GATEWAY = "cluster.local/ns/istio-ingress/sa/inference-istio"
WAYPOINT = "cluster.local/ns/ai-inference/sa/waypoint"
AT_WAYPOINT = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}]


def policies(asked: Model, has_gateway: bool = True) -> dict[str, dict[str, Any]]:
    """The specs of a model's policies by the end of their names."""
    made = ambient().authorize(asked, has_gateway)
    start = f"{asked.name_label}-"
    return {each["metadata"]["name"].removeprefix(start): each["spec"] for each in made}


def callers(has_gateway: bool = True, **settings: Any) -> dict[str, Any]:
    return policies(model(**settings), has_gateway)["callers"]


def namespace(adoption: Adoption = "strict") -> dict[str, Manifest]:
    made = ambient().secure("ai-inference", adoption, 180)
    return {f"{each['kind']} {each['metadata']['name']}": each for each in made}


def test_default_configuration_closes_a_namespace_at_its_nodes_and_at_its_waypoint() -> None:
    made = namespace()
    assert made["PeerAuthentication default"]["spec"] == {"mtls": {"mode": "STRICT"}}
    assert made["AuthorizationPolicy allow-nothing"]["spec"] == {}
    # A waypoint heeds no policy but those that name it, or a Service behind it.
    closed = made["AuthorizationPolicy allow-nothing-at-waypoint"]["spec"]
    assert closed == {"targetRefs": AT_WAYPOINT}


def test_a_namespace_has_a_waypoint() -> None:
    assert {"Gateway waypoint", "ConfigMap waypoint-parameters"} <= set(namespace())


def test_a_namespace_that_takes_plain_text_has_a_waypoint_too() -> None:
    made = namespace("permissive")
    assert made["PeerAuthentication default"]["spec"] == {"mtls": {"mode": "PERMISSIVE"}}
    assert "Gateway waypoint" in made


def test_an_unmeshed_namespace_has_nothing_of_the_mesh() -> None:
    assert namespace("unmeshed") == {}
    assert policies(model(adoption="unmeshed")) == {}


def test_rules_for_callers_are_attached_to_the_service_not_to_pods() -> None:
    spec = callers(callers=["frontend"])
    assert spec["targetRefs"] == [{"group": "", "kind": "Service", "name": "deepseek-r1-1-5b"}]
    # A selector would hand them to the node's proxy, which knows no methods and paths.
    assert "selector" not in spec


def test_the_gateway_is_always_among_the_callers_and_has_the_public_paths() -> None:
    gateway, frontend = callers(callers=["frontend"])["rules"]
    assert gateway["from"] == [{"source": {"principals": [GATEWAY]}}]
    assert gateway["to"] == [{"operation": {"ports": ["8000"], "paths": ["/v1/*"]}}]
    assert frontend["from"] == [{"source": {"namespaces": ["frontend"]}}]


def test_a_model_kept_inside_does_not_admit_the_gateway() -> None:
    assert callers(route=None)["rules"] == []
    assert callers(has_gateway=False)["rules"] == []


def test_a_caller_may_be_narrowed_to_methods_and_paths() -> None:
    narrow = {"namespace": "frontend", "methods": ["POST"], "paths": ["/v1/completions"]}
    (rule,) = callers(has_gateway=False, callers=[narrow])["rules"]
    assert rule["to"] == [
        {"operation": {"ports": ["8000"], "methods": ["POST"], "paths": ["/v1/completions"]}}
    ]


def test_nobody_but_the_waypoint_reaches_a_pod() -> None:
    spec = policies(model(callers=["frontend"]))["waypoint"]
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": NAME}}
    (rule,) = spec["rules"]
    assert rule["from"] == [{"source": {"principals": [WAYPOINT]}}]
    assert rule["to"] == [{"operation": {"ports": ["8000"]}}]


def test_the_waypoint_of_a_source_reaches_the_pods_of_its_mirror() -> None:
    source = model("source", namespace="llm-production")
    target = replace(model(), mirrored_from=(source, model("other")))
    (rule,) = policies(target)["waypoint"]["rules"]
    mirroring = "cluster.local/ns/llm-production/sa/waypoint"
    assert rule["from"] == [{"source": {"principals": [WAYPOINT, mirroring]}}]


def test_where_plain_text_is_taken_nobody_has_an_identity_to_be_asked_for() -> None:
    made = policies(model(adoption="permissive", callers=["frontend"]))
    for name in ("callers", "waypoint"):
        assert made[name]["rules"] == [{"to": [{"operation": {"ports": ["8000"]}}]}]


def test_prometheus_may_read_the_metrics_and_nothing_else() -> None:
    spec = policies(model())["metrics"]
    # It calls pods by their own addresses, so that no Service's policy is asked.
    assert spec["targetRefs"] == AT_WAYPOINT
    (rule,) = spec["rules"]
    assert rule["from"] == [{"source": {"namespaces": ["monitoring"]}}]
    assert rule["to"] == [
        {"operation": {"ports": ["8000"], "methods": ["GET"], "paths": ["/metrics"]}}
    ]


@pytest.mark.parametrize(
    ("url", "namespaces"),
    [
        ("http://prometheus.monitoring.svc.cluster.local:9090", ["monitoring"]),
        ("http://prometheus.monitoring.svc:9090", ["monitoring"]),
        ("https://prometheus.example.com", None),
        ("http://10.0.0.1:9090", None),
        ("http://prometheus:9090", None),
        (None, None),
    ],
)
def test_a_prometheus_outside_the_cluster_is_in_no_namespace(
    url: str | None, namespaces: list[str] | None
) -> None:
    made = policies(replace(model(), prometheus=url))
    if namespaces is None:
        assert "metrics" not in made
    else:
        (rule,) = made["metrics"]["rules"]
        assert rule["from"] == [{"source": {"namespaces": namespaces}}]


def test_a_runtime_without_metrics_opens_nothing_for_them() -> None:
    assert "metrics" not in policies(model(runtime=CUSTOM))
