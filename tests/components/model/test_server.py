from __future__ import annotations

from typing import Any

import pytest

from components.control_plane import ControlPlane, ControlPlaneArgs
from components.model.server import ModelServer, ModelServerArgs
from components.namespace import InjectedNamespace, InjectedNamespaceArgs
from tests.components.recording import MADE, Deployment, Sealed, deployed, plain_texts
from tests.components.samples import NAME, istio, model

EVERYTHING: dict[str, Any] = {
    "canary": {"image": "vllm/vllm-openai:v0.32.1", "weight": 10},
    "cache": {"kind": "pvc", "size": "50Gi"},
    "autoscaling": {"signal": "queue-depth", "max": 4},
    "huggingFaceToken": "hf_very_secret",
    "apiKey": {"value": "key_very_secret"},
    "callers": ["frontend"],
}


def server(name: str = NAME, revision: str | None = None, **settings: Any) -> Deployment:
    def program() -> None:
        mesh = istio(revision=revision)
        plane = ControlPlane("mesh", ControlPlaneArgs(mesh))
        namespace = InjectedNamespace("ai-inference", InjectedNamespaceArgs(mesh, plane))
        ModelServer(name, ModelServerArgs(model(name, **settings), mesh, namespace))

    return deployed(program)


def own_kinds(result: Deployment) -> list[str]:
    component = result.one("ModelServer")
    return sorted(r.kind for r in result.resources if r.parent == component.urn)


def test_default_configuration_is_what_a_model_needs_and_no_more() -> None:
    assert own_kinds(server()) == [
        "AuthorizationPolicy",
        "Deployment",
        "DestinationRule",
        "EnvoyFilter",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
        "Sidecar",
        "VirtualService",
    ]


def test_every_option_adds_its_own_object() -> None:
    of_canary = ["Deployment", "Sidecar"]
    more = [*of_canary, "PersistentVolumeClaim", "ScaledObject", "Secret", "Secret"]
    assert own_kinds(server(**EVERYTHING)) == sorted([*own_kinds(server()), *more])


def test_the_component_says_that_it_is_complete() -> None:
    result = server()
    assert result.one("ModelServer").urn in result.finished
    assert result.one("ModelServer").type == "inference-mesh:model:ModelServer"


@pytest.mark.parametrize("name", [NAME, f"{NAME}-canary"])
def test_pods_run_only_once_they_are_closed_and_have_what_they_need(name: str) -> None:
    result = server(**EVERYTHING)
    pods = result.one("Deployment", name)
    before = [
        *result.all("PeerAuthentication"),
        *result.all("AuthorizationPolicy"),
        *result.all("Secret"),
        result.one("Release", "istiod"),
        result.one("ServiceAccount"),
        result.one("Namespace", "ai-inference"),
    ]
    assert len(before) == 8
    assert [r.name for r in before if not result.follows(pods, r)] == []


def test_a_model_is_opened_to_its_callers_only_once_its_namespace_is_closed() -> None:
    result = server()
    opened = result.one("AuthorizationPolicy", "deepseek-r1-1-5b-callers")
    assert result.follows(opened, result.one("AuthorizationPolicy", "allow-nothing"))
    assert result.follows(opened, result.one("PeerAuthentication"))


def test_a_claim_that_waits_for_its_first_consumer_holds_no_pod_up() -> None:
    result = server(**EVERYTHING)
    claim = result.one("PersistentVolumeClaim")
    assert result.follows(claim, result.one("Namespace", "ai-inference"))
    for other in (*result.all("Deployment"), result.one("Service")):
        assert not result.follows(other, claim)
        assert not result.follows(claim, other)


def test_pods_and_the_service_in_front_of_them_do_not_wait_for_each_other() -> None:
    result = server(**EVERYTHING)
    for pods in result.all("Deployment"):
        assert not result.follows(pods, result.one("Service"))
        assert not result.follows(result.one("Service"), pods)


@pytest.mark.parametrize("signal", ["queue-depth", "cpu"])
@pytest.mark.parametrize("kind", ["VirtualService", "DestinationRule", "autoscaler"])
def test_callers_are_sent_only_to_pods_that_are_there(kind: str, signal: str) -> None:
    result = server(**EVERYTHING | {"autoscaling": {"signal": signal, "max": 4}})
    scaler = {"queue-depth": "ScaledObject", "cpu": "HorizontalPodAutoscaler"}[signal]
    later = result.one(scaler if kind == "autoscaler" else kind)
    for pods in result.all("Deployment"):
        assert result.follows(later, pods)
    assert result.follows(later, result.one("Service"))


def urns(result: Deployment) -> dict[str, str]:
    """The objects of the model, by kind; the stable version's where there are two."""
    component = result.one("ModelServer")
    return {r.kind: r.urn for r in reversed(result.resources) if r.parent == component.urn}


def test_an_object_that_stays_where_its_model_is_renamed_is_the_same_resource() -> None:
    before, after = (urns(server(name, service="llm")) for name in ("one", "two"))
    for kind in ("Service", "VirtualService", "DestinationRule"):
        assert before[kind] == after[kind]
    for kind in ("Deployment", "ServiceAccount", "AuthorizationPolicy", "PodDisruptionBudget"):
        assert before[kind] != after[kind]


def test_an_object_that_goes_where_its_model_stays_is_another_resource() -> None:
    before, after = (urns(server(service=service)) for service in ("one", "two"))
    assert before["Service"] != after["Service"]
    assert before["Deployment"] == after["Deployment"]


def selectors(result: Deployment) -> list[Any]:
    """Everything by which objects find the model's pods."""
    specs = [
        (r.kind, r.name, r.inputs["spec"])
        for r in result.resources
        if r.kind in ("Deployment", "Service", "PodDisruptionBudget", "AuthorizationPolicy")
    ]
    spread = [
        (name, item["labelSelector"])
        for kind, name, spec in specs
        if kind == "Deployment"
        for item in spec["template"]["spec"]["topologySpreadConstraints"]
    ]
    own = [(kind, name, spec.get("selector")) for kind, name, spec in specs]
    return sorted([*own, *spread], key=str)


def test_no_label_of_the_user_changes_what_finds_the_pods() -> None:
    labels = {"app": "other", "app.kubernetes.io/instance": "other", "version": "other"}
    plain, labelled = server(**EVERYTHING), server(**EVERYTHING, labels=labels)
    assert len(selectors(plain)) == 2 + 1 + 1 + 2 + 2 * 2
    assert selectors(labelled) == selectors(plain)
    for pods in labelled.all("Deployment"):
        spec = pods.inputs["spec"]
        assert spec["template"]["metadata"]["labels"]["app"] == "other"
        wanted = spec["selector"]["matchLabels"]
        assert wanted.items() <= spec["template"]["metadata"]["labels"].items()


def test_a_new_revision_of_the_mesh_replaces_pods_and_leaves_their_selector() -> None:
    old, new = (server(revision=revision).one("Deployment") for revision in ("v1", "v2"))
    labels = new.inputs["spec"]["template"]["metadata"]["labels"]
    assert labels["istio.io/rev"] == "v2"
    assert labels != old.inputs["spec"]["template"]["metadata"]["labels"]
    assert new.inputs["spec"]["selector"] == old.inputs["spec"]["selector"]
    unrevised = server().one("Deployment").inputs["spec"]["template"]["metadata"]["labels"]
    assert "istio.io/rev" not in unrevised


@pytest.mark.parametrize("kind", ["VirtualService", "DestinationRule", "AuthorizationPolicy"])
def test_custom_resources_follow_istiod(kind: str) -> None:
    result = server()
    istiod = result.one("Release", "istiod")
    assert all(result.follows(item, istiod) for item in result.all(kind))


def test_the_rollout_may_take_as_long_as_its_replicas_load() -> None:
    result = server(replicas=3, startup={"period": "10s", "failures": 180})
    expected = f"{3 * (900 + 1800 + 180)}s"
    for kind in ("Deployment", "Service"):
        waiting = result.one(kind)
        assert (waiting.create_timeout, waiting.update_timeout) == (expected, expected)
    assert result.one("ServiceAccount").create_timeout == ""


def test_secrets_stay_secret_and_stand_in_their_secrets_alone() -> None:
    result = server(**EVERYTHING)
    sealed = {r.inputs["metadata"]["name"]: r.inputs["stringData"] for r in result.all("Secret")}
    assert sealed == {
        "deepseek-r1-1-5b-hugging-face": {"HF_TOKEN": Sealed("hf_very_secret")},
        "deepseek-r1-1-5b-api-key": {"VLLM_API_KEY": Sealed("key_very_secret")},
    }
    texts = [text for r in result.resources for text in plain_texts(r.inputs)]
    assert not any("very_secret" in text for text in texts)


def test_the_container_reads_its_secrets_where_they_are_made() -> None:
    result = server(**EVERYTHING)
    pod = result.one("Deployment", NAME).inputs["spec"]["template"]["spec"]
    read = {
        entry["name"]: entry["valueFrom"]["secretKeyRef"]
        for entry in pod["containers"][0]["env"]
        if "valueFrom" in entry
    }
    assert read == {
        "HF_TOKEN": {"name": "deepseek-r1-1-5b-hugging-face", "key": "HF_TOKEN"},
        "VLLM_API_KEY": {"name": "deepseek-r1-1-5b-api-key", "key": "VLLM_API_KEY"},
    }


def test_a_key_is_made_where_none_is_given_and_stays_secret() -> None:
    result = server(apiKey={})
    password = result.one("RandomPassword")
    assert password.inputs["length"] == 40
    assert password.parent == result.one("ModelServer").urn
    assert result.one("Secret").inputs["stringData"] == {"VLLM_API_KEY": Sealed(MADE)}


def test_a_secret_that_exists_is_read_and_none_is_made() -> None:
    reference = {"secret": "hub", "key": "token"}
    result = server(huggingFaceToken=reference, apiKey={"value": reference})
    assert result.all("Secret") == result.all("RandomPassword") == []
    env = result.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]["env"]
    sources = [entry["valueFrom"]["secretKeyRef"] for entry in env if "valueFrom" in entry]
    assert sources == [{"name": "hub", "key": "token"}] * 2


def test_models_whose_names_run_into_each_other_stay_apart() -> None:
    def program() -> None:
        mesh = istio()
        plane = ControlPlane("mesh", ControlPlaneArgs(mesh))
        namespace = InjectedNamespace("ai-inference", InjectedNamespaceArgs(mesh, plane))
        for name, service in (("hy", "mt"), ("hy-mt", "hy-mt")):
            wanted = model(name, service=service)
            ModelServer(name, ModelServerArgs(wanted, mesh, namespace))

    assert len(deployed(program).all("Service")) == 2
