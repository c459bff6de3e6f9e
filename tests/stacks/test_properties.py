"""What holds for any valid stack, without a cluster."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from components.ai_gateway import names
from gitops import render, secrets
from gitops.manifests import in_waves
from gitops.record import record
from gitops.stackfile import StackFile
from stacks.errors import ConfigurationError
from stacks.load import from_mapping
from stacks.schema import PREFIX
from tests.components.recording import plain_texts
from tests.stacks import strategies
from tests.stacks.files import PROGRAM
from tests.stacks.json_schema import errors
from tests.stacks.objects import Objects, objects, of_kind, platform
from tests.stacks.strategies import ANY_STACK
from tests.stacks.test_schema import SCHEMA

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@ANY_STACK
@given(st.data())
def test_settings_survive_being_written_and_read(pem: str, data: st.DataObject) -> None:
    loaded = from_mapping(data.draw(strategies.stacks(pem)))
    assert from_mapping(loaded.model_dump(by_alias=True, exclude_unset=True)) == loaded


@ANY_STACK
@given(st.data())
def test_what_loads_keeps_to_the_schema(pem: str, data: st.DataObject) -> None:
    mapping = data.draw(strategies.stacks(pem))
    sealed = json.loads(re.sub(r'"plain-secret-\d+"', '{"secure": "v1:x"}', json.dumps(mapping)))
    document = {"config": {f"{PREFIX}{key}": value for key, value in sealed.items()}}
    assert list(errors(document, SCHEMA, SCHEMA)) == []


@ANY_STACK
@given(st.data())
def test_the_objects_of_a_stack_fit_together(pem: str, data: st.DataObject) -> None:
    mapping = data.draw(strategies.stacks(pem))
    result = platform(mapping)
    found = objects(result)
    _assert_routes_end_at_pods(found)
    _assert_pods_find_what_they_name(mapping, found)
    _assert_names_are_valid(found)
    texts = [text for resource in result.resources for text in plain_texts(resource.inputs)]
    assert not any("plain-secret" in text for text in texts)


def _assert_routes_end_at_pods(found: Objects) -> None:
    subsets = {
        (rule["spec"]["host"], subset["name"]): subset["labels"]
        for rule in of_kind(found, "DestinationRule")
        for subset in rule["spec"].get("subsets", [])
    }
    pods = [
        (item["metadata"]["namespace"], item["spec"]["template"]["metadata"]["labels"])
        for item in of_kind(found, "Deployment")
    ]
    _assert_http_routes_end_at_pods(found, pods)
    for routing in of_kind(found, "VirtualService"):
        for route in routing["spec"]["http"]:
            if "directResponse" in route:
                continue
            assert sum(entry.get("weight", 100) for entry in route["route"]) == 100
            mirrors = [route["mirror"]] if "mirror" in route else []
            for destination in [entry["destination"] for entry in route["route"]] + mirrors:
                service, namespace, *_ = destination["host"].split(".")
                if destination["host"] == names.HOST:
                    # Envoy Gateway makes its Service and pods of these.
                    assert found["EnvoyProxy", namespace, service]
                    continue
                spec = found["Service", namespace, service]["spec"]
                assert destination["port"]["number"] in [port["port"] for port in spec["ports"]]
                wanted = spec["selector"] | subsets[destination["host"], destination["subset"]]
                chosen = [
                    labels
                    for home, labels in pods
                    if home == namespace and wanted.items() <= labels.items()
                ]
                assert len(chosen) == 1, f"{wanted} selects {len(chosen)} Deployments"


def _assert_http_routes_end_at_pods(found: Objects, pods: list[tuple[str, dict[str, str]]]) -> None:
    for route in of_kind(found, "HTTPRoute"):
        home = route["metadata"]["namespace"]
        for rule in route["spec"]["rules"]:
            backends = rule.get("backendRefs", [])
            assert sum(entry.get("weight", 100) for entry in backends) in (0, 100)
            # A pool names the pods itself, and its picker one of them.
            backends = [entry for entry in backends if entry.get("kind") != "InferencePool"]
            filters = rule.get("filters", [])
            mirrors = [each["requestMirror"] for each in filters if "requestMirror" in each]
            for backend in backends + [each["backendRef"] for each in mirrors]:
                namespace = backend.get("namespace", home)
                spec = found["Service", namespace, backend["name"]]["spec"]
                assert backend["port"] in [port["port"] for port in spec["ports"]]
                chosen = [
                    labels
                    for at, labels in pods
                    if at == namespace and spec["selector"].items() <= labels.items()
                ]
                assert chosen, f"{backend['name']} selects no Deployment"
                assert len(chosen) == 1 or "version" not in spec["selector"]


def _assert_pods_find_what_they_name(mapping: dict[str, Any], found: Objects) -> None:
    given = json.dumps(mapping)
    for item in of_kind(found, "Deployment"):
        namespace, pod = item["metadata"]["namespace"], item["spec"]["template"]["spec"]
        if namespace == names.NAMESPACE:
            # Redis, which runs without settings and without an account.
            assert pod["automountServiceAccountToken"] is False
            continue
        assert ("ServiceAccount", namespace, pod["serviceAccountName"]) in found
        for entry in pod["containers"][0]["env"]:
            if "valueFrom" in entry:
                source = entry["valueFrom"]["secretKeyRef"]
                secret = found.get(("Secret", namespace, source["name"]))
                assert source["key"] in secret["stringData"] if secret else source["name"] in given
        variables = [entry["name"] for entry in pod["containers"][0]["env"]]
        assert len(variables) == len(set(variables))
        for volume in pod["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                name = claim["claimName"]
                assert ("PersistentVolumeClaim", namespace, name) in found or name in given


def _assert_names_are_valid(found: Objects) -> None:
    for kind, namespace, name in found:
        assert (LABEL if kind in ("Service", "Namespace") else SUBDOMAIN).fullmatch(name)
        assert not namespace or LABEL.fullmatch(namespace)
        assert ("Namespace", "", namespace) in found or not namespace


@settings(ANY_STACK, max_examples=20)
@given(st.data())
def test_two_renders_are_equal(pem: str, data: st.DataObject) -> None:
    mapping = data.draw(strategies.stacks(pem))
    for model in mapping["models"].values():
        # What stands here in plain text is refused where no Pulumi encrypts it.
        model.pop("apiKey", None)
        model.pop("huggingFaceToken", None)
    config = {
        f"{PREFIX}{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in mapping.items()
    }
    stack = StackFile("test", config)

    def rendered() -> dict[str, str]:
        waves = in_waves(record(PROGRAM, stack))
        return render.files(waves, secrets=secrets.Secrets(include=True))

    assert rendered() == rendered()


WELL_FORMED: dict[str, Any] = {
    "mesh": {"kind": "istio"},
    "gateway": {"host": "a.example.com", "tls": {"issuer": "x"}},
    "models": {
        "m": {
            "namespace": "x",
            "preset": "hy-mt1.5-1.8b",
            "traffic": {"mirror": {"model": "n", "percent": 5, "sideEffects": "none"}},
            "canary": {"image": "a/b:c", "weight": 3},
        },
        "n": {"namespace": "y", "autoscaling": {"max": 3, "signal": "cpu"}},
    },
}
JUNK = st.sampled_from([None, [], {}, "x", "", 3, -1, 1.5, True, [None], {"kind": "x"}, {1: 2}])


def keys(content: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in content.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from keys(value, (*above, key))


@settings(ANY_STACK, phases=[Phase.explicit, Phase.generate], max_examples=400)
@example([(("models",), {1: 2})])
@given(st.lists(st.tuples(st.sampled_from([*keys(WELL_FORMED)]), JUNK), min_size=1, max_size=3))
def test_whatever_is_wrong_gets_a_message_and_no_other_error(
    changes: list[tuple[tuple[str, ...], Any]],
) -> None:
    content = copy.deepcopy(WELL_FORMED)
    for path, junk in changes:
        place: Any = content
        for key in path[:-1]:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1]] = copy.deepcopy(junk)
    with contextlib.suppress(ConfigurationError):
        from_mapping(content, frozenset())
