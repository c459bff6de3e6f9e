from __future__ import annotations

import pytest

from gitops.errors import GitopsError
from gitops.manifests import in_waves
from gitops.record import Recording, Resource
from tests.gitops.conftest import Recorder


def resource(name: str, kind: str, *depends_on: str, **inputs: object) -> Resource:
    content = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **inputs}
    return Resource(name, f"kubernetes:core/v1:{kind}", name, "", True, content, (), (), depends_on)


def levels(*resources: Resource) -> list[list[str]]:
    waves = in_waves(Recording(resources, {}))
    return [[item.key.name for item in wave.objects] for wave in waves]


def test_a_chart_comes_after_its_namespace_and_before_what_needs_it(recorded: Recorder) -> None:
    waves = in_waves(recorded(more=True))
    assert [[str(item) for item in wave.charts] for wave in waves] == [
        [],
        ["release widgets/widgets"],
        [],
        [],
    ]
    assert [[str(item.key) for item in wave.objects] for wave in waves] == [
        ["Namespace widgets"],
        ["Deployment widgets/web", "Secret widgets/web"],
        ["Widget widgets/web"],
        ["ConfigMap widgets/more"],
    ]


def test_a_chart_keeps_what_its_release_says(recorded: Recorder) -> None:
    chart = in_waves(recorded(repo="https://charts.example.com", chart="widgets"))[1].charts[0]
    assert (chart.repo, chart.chart, chart.version) == (
        "https://charts.example.com",
        "widgets",
        "1.0.0",
    )
    assert chart.values == {"colour": "blue"}
    assert chart.timeout == 30


def test_independent_objects_share_a_wave() -> None:
    assert levels(resource("a", "ConfigMap"), resource("b", "ConfigMap")) == [["a", "b"]]


def test_an_object_follows_its_namespace_even_if_the_program_does_not_say_so() -> None:
    inside = resource("b", "ConfigMap", metadata={"name": "b", "namespace": "a"})
    assert levels(resource("a", "Namespace"), inside) == [["a"], ["b"]]


def test_an_object_follows_its_definition_even_if_the_program_does_not_say_so() -> None:
    spec = {"group": "example.com", "names": {"kind": "Widget"}}
    definition = resource("definition", "CustomResourceDefinition", spec=spec)
    widget = resource("widget", "Widget", apiVersion="example.com/v1")
    assert levels(definition, widget) == [["definition"], ["widget"]]


def test_what_is_no_object_takes_no_wave() -> None:
    provider = Resource("p", "pulumi:providers:kubernetes", "p", "", True, {}, (), (), ("a",))
    later = resource("b", "ConfigMap", "p")
    assert levels(resource("a", "ConfigMap"), provider, later) == [["a"], ["b"]]


def test_a_value_that_pulumi_makes_is_refused_by_name(recorded: Recorder) -> None:
    with pytest.raises(GitopsError, match=r"(?s)Pulumi CLI:\n  api-key \(random:index/.*Secret"):
        in_waves(recorded(random=True))


def test_an_unknown_value_outside_a_secret_is_refused_even_with_secrets_elsewhere() -> None:
    unknown = Resource(
        "a", "kubernetes:core/v1:ConfigMap", "a", "", True,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": None}},
        (), (("data", "b"),), (),
    )  # fmt: skip
    with pytest.raises(GitopsError, match=r"ConfigMap a: data\.b"):
        in_waves(Recording((unknown,), {}), secrets_elsewhere=True)


def test_an_option_of_a_release_that_only_pulumi_knows_is_refused() -> None:
    inputs = {"chart": "a", "postrender": "sed"}
    release = Resource("a", "kubernetes:helm.sh/v3:Release", "a", "", True, inputs, (), (), ())
    with pytest.raises(GitopsError, match="postrender"):
        in_waves(Recording((release,), {}))


def test_a_patch_of_an_object_of_others_is_refused() -> None:
    with pytest.raises(GitopsError, match="an object of others"):
        levels(resource("default", "NamespacePatch"))
