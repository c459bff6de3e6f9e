from __future__ import annotations

from copy import deepcopy
from typing import Any

from simcluster import istiod

CONTAINER: dict[str, Any] = {
    "args": ["discovery", "--domain", "cluster.local"],
    "env": [
        {"name": "PILOT_ENABLE_ALPN_FILTER", "value": "false"},
        {"name": "KUBECONFIG", "value": "/var/run/secrets/remote/config"},
        {"name": "PLATFORM"},
        {
            "name": "POD_NAMESPACE",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
        },
        {"name": "GOMAXPROCS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ],
}
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "istiod", "namespace": "istio-system", "uid": "u1"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app": "istiod", "istio.io/rev": "default"}},
            "spec": {"serviceAccountName": "istiod", "containers": [CONTAINER]},
        }
    },
}


def test_the_process_gets_the_environment_of_the_deployment() -> None:
    environment = dict(istiod.plan(DEPLOYMENT, injector=True).environment)
    assert environment == {
        "ISTIOD_CUSTOM_HOST": "localhost",
        "PILOT_ENABLE_ALPN_FILTER": "false",
        "PLATFORM": "",
        "POD_NAMESPACE": "istio-system",
    }


def test_the_process_gets_the_arguments_of_the_deployment() -> None:
    plan = istiod.plan(DEPLOYMENT, injector=True)
    assert plan.arguments == ("discovery", "--domain", "cluster.local")


def test_the_plan_changes_with_the_template_the_injector_and_the_release() -> None:
    changed, reinstalled = deepcopy(DEPLOYMENT), deepcopy(DEPLOYMENT)
    changed["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "true"
    reinstalled["metadata"]["uid"] = "u2"
    plans = {
        istiod.plan(DEPLOYMENT, injector=True),
        istiod.plan(DEPLOYMENT, injector=False),
        istiod.plan(changed, injector=True),
        istiod.plan(reinstalled, injector=True),
    }
    assert len(plans) == 4


def test_more_replicas_do_not_change_the_plan() -> None:
    scaled = deepcopy(DEPLOYMENT)
    scaled["spec"]["replicas"] = 3
    assert istiod.plan(scaled, injector=True) == istiod.plan(DEPLOYMENT, injector=True)
