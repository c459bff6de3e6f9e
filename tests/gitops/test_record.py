from __future__ import annotations

import gc

import pytest
from pulumi.runtime import resource as sdk
from pulumi.runtime import rpc

from gitops.errors import GitopsError
from gitops.record import Resource
from tests.gitops.conftest import Recorder


def by_name(resources: tuple[Resource, ...]) -> dict[str, Resource]:
    return {
        f"{resource.type.rpartition(':')[2]} {resource.name}": resource for resource in resources
    }


def test_every_resource_is_recorded_with_its_inputs(recorded: Recorder) -> None:
    recording = recorded(replicas=2)
    deployment = by_name(recording.resources)["Deployment web"]
    assert deployment.inputs["apiVersion"] == "apps/v1"
    assert deployment.inputs["metadata"]["namespace"] == "widgets"
    assert recording.outputs == {"size": 3}


def test_whole_numbers_stay_whole(recorded: Recorder) -> None:
    replicas = by_name(recorded(replicas=2).resources)["Deployment web"].inputs["spec"]["replicas"]
    assert isinstance(replicas, int)


def test_a_secret_is_unwrapped_and_remembered(recorded: Recorder) -> None:
    secret = by_name(recorded().resources)["Secret web-token"]
    assert secret.inputs["stringData"] == {"token": "s3cret"}
    assert secret.secrets == (("stringData",),)


def test_what_a_parent_depends_on_its_children_depend_on(recorded: Recorder) -> None:
    resources = by_name(recorded().resources)
    namespace = resources["Namespace platform-namespace"].urn
    assert namespace in resources["Secret web-token"].depends_on


def test_dependencies_come_first_in_an_order_that_stays(recorded: Recorder) -> None:
    resources = recorded(more=True).resources
    seen: set[str] = set()
    for resource in resources:
        assert seen.issuperset(resource.depends_on)
        seen.add(resource.urn)
    assert recorded(more=True).resources == resources


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"refuse": "weights must sum to 100"}, "^weights must sum to 100$"),
        ({"read": True}, "reads kubernetes:core/v1:ConfigMap.*Pulumi CLI"),
        ({"twice": True}, r"same type and name: twice \(kubernetes:core/v1:ConfigMap\)"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    recorded: Recorder, options: dict[str, object], message: str
) -> None:
    with pytest.raises(GitopsError, match=message):
        recorded(**options)


def test_plain_inputs_are_the_same_with_and_without_the_shortcut(
    recorded: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = recorded(plain=True, more=True)
    monkeypatch.setattr("gitops.sdk._keeps_names", lambda _: False)
    assert recorded(plain=True, more=True) == short
    reader = by_name(short.resources)["ConfigMap reader"]
    assert reader.inputs["data"] == {"labels": {"count": "1"}, "secret": "s"}
    assert reader.secrets == (("data", "secret"),)
    assert len(reader.depends_on) == 1


def test_the_sdk_is_left_as_it_was(recorded: Recorder) -> None:
    patched = [(sdk, "_get_stack_trace"), (sdk, "create_urn")]
    patched += [(rpc, "serialize_properties"), (rpc, "resolve_outputs")]
    before = [getattr(module, name) for module, name in patched]
    with pytest.raises(GitopsError):
        recorded(refuse="anything")
    assert [getattr(module, name) for module, name in patched] == before
    assert gc.isenabled()
