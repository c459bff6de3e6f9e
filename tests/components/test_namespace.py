from __future__ import annotations

from typing import Any

import pytest

from components.control_plane import ControlPlane, ControlPlaneArgs
from components.namespace import InjectedNamespace, InjectedNamespaceArgs
from tests.components.recording import Deployment, deployed
from tests.components.samples import istio


def namespace(host_paths: bool = False, charts: bool = False, **settings: Any) -> Deployment:
    def program() -> None:
        mesh = istio(**settings)
        plane = ControlPlane("mesh", ControlPlaneArgs(mesh))
        args = InjectedNamespaceArgs(mesh, plane, "strict", host_paths=host_paths, charts=charts)
        InjectedNamespace("ai-inference", args)

    return deployed(program)


def labels(**settings: Any) -> dict[str, str]:
    made = namespace(**settings).one("Namespace", "ai-inference")
    return dict(made.inputs["metadata"]["labels"])


def test_all_parts_are_children_of_the_component() -> None:
    result = namespace()
    component = result.one("InjectedNamespace")
    kinds = sorted(r.kind for r in result.resources if r.parent == component.urn)
    assert kinds == ["AuthorizationPolicy", "Namespace", "PeerAuthentication"]
    assert component.urn in result.finished


def test_pods_are_injected() -> None:
    assert labels()["istio-injection"] == "enabled"
    assert labels(revision="v1-31-1")["istio.io/rev"] == "v1-31-1"


@pytest.mark.parametrize(
    ("cni", "host_paths", "level"),
    [
        (False, False, "privileged"),
        (True, False, "restricted"),
        (True, True, "privileged"),
    ],
)
def test_the_strictest_level_is_enforced_that_meshed_pods_meet(
    cni: bool, host_paths: bool, level: str
) -> None:
    assert labels(cni=cni, host_paths=host_paths)["pod-security.kubernetes.io/enforce"] == level
    assert labels(cni=cni)["pod-security.kubernetes.io/warn"] == "restricted"


def test_what_a_chart_runs_there_need_not_be_restricted() -> None:
    enforce = "pod-security.kubernetes.io/enforce"
    assert labels(cni=True, charts=True)[enforce] == "baseline"
    assert labels(charts=True)[enforce] == "privileged"


def test_a_namespace_follows_the_control_plane_that_its_labels_ask_for() -> None:
    result = namespace()
    made = result.one("Namespace", "ai-inference")
    assert result.follows(made, result.one("Release", "istiod"))


def test_a_changed_label_of_a_namespace_changes_the_same_resource() -> None:
    old, new = (namespace(revision=revision) for revision in ("v1", "v2"))
    before, after = (result.one("Namespace", "ai-inference") for result in (old, new))
    assert before.inputs != after.inputs
    assert before.urn == after.urn
    assert new.follows(after, new.one("Release", "istiod-v2"))


def test_policies_follow_the_namespace_and_istiod() -> None:
    result = namespace()
    for kind in ("PeerAuthentication", "AuthorizationPolicy"):
        policy = result.one(kind)
        assert result.follows(policy, result.one("Namespace", "ai-inference"))
        assert result.follows(policy, result.one("Release", "istiod"))
