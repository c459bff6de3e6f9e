"""What a recording means to Kubernetes: objects and charts, in waves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from gitops.errors import GitopsError
from gitops.plain import Keys
from gitops.record import RELEASE, Recording, Resource

_CHART_INPUTS = {
    "name", "namespace", "chart", "version", "repositoryOpts", "values", "skipCrds", "timeout"
}  # fmt: skip
SECRET_DATA = ("data", "stringData")
_HARMLESS_INPUTS = {
    "atomic", "cleanupOnFail", "createNamespace", "compat", "lint", "maxHistory", "resourceNames",
    "skipAwait", "waitForJobs",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Key:
    """What names an object in a cluster, whatever the version of its API."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


@dataclass(frozen=True)
class KubernetesObject:
    """One object as it is applied; `secrets` and `unknowns` are places inside `content`."""

    content: dict[str, Any]
    secrets: tuple[Keys, ...] = ()
    unknowns: tuple[Keys, ...] = ()

    @property
    def key(self) -> Key:
        metadata = self.content["metadata"]
        group = self.content["apiVersion"].rpartition("/")[0]
        kind = self.content["kind"]
        return Key(group, kind, metadata.get("namespace") or "", metadata["name"])


@dataclass(frozen=True)
class Chart:
    """One Helm release. `repo` is None where `chart` itself is a folder or an `oci://` address."""

    name: str
    namespace: str
    chart: str
    version: str | None
    repo: str | None
    values: dict[str, Any]
    secrets: tuple[Keys, ...] = ()
    unknowns: tuple[Keys, ...] = ()
    skip_crds: bool = False
    timeout: int = 300
    """Seconds, as Pulumi's Release has it by default."""

    @property
    def is_local(self) -> bool:
        return self.repo is None and not self.chart.startswith("oci://")

    def __str__(self) -> str:
        return f"release {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Wave:
    """What may go in at once, when all earlier waves are ready."""

    charts: tuple[Chart, ...] = ()
    objects: tuple[KubernetesObject, ...] = ()

    @property
    def ready_seconds(self) -> int:
        """How long it may take: 15 minutes, or the replicas of a workload one after another."""
        specs = [item.content.get("spec") or {} for item in self.objects]
        slow: list[int] = [
            spec["progressDeadlineSeconds"] * spec.get("replicas", 1)
            for spec in specs
            if "progressDeadlineSeconds" in spec
        ]
        return max([900, *slow])


Content = dict[str, Chart | KubernetesObject]


def in_waves(recording: Recording, secrets_elsewhere: bool = False) -> tuple[Wave, ...]:
    """The objects and charts of a recording, in levels of dependency.

    A wave holds what depends on nothing outside the earlier waves; an object also follows its
    namespace and its CustomResourceDefinition where the program declares them.
    Raises GitopsError for values that only Pulumi can make (a random password). With
    `secrets_elsewhere`, those may stand in a Secret's data, which another system then fills.
    """
    content: Content = {}
    problems: list[str] = []
    for resource in recording.resources:
        if not resource.custom or resource.type.startswith("pulumi:providers:"):
            continue
        if resource.type == RELEASE:
            content[resource.urn] = _chart(resource)
        elif resource.type.startswith("kubernetes:"):
            content[resource.urn] = _object(resource)
        elif not secrets_elsewhere:
            problems.append(resource.label)
    for item in content.values():
        problems += _unknown_values(item, secrets_elsewhere)
    if problems:
        raise GitopsError(
            "these are made by Pulumi while it deploys, so they need the Pulumi CLI:\n"
            + "\n".join(f"  {problem}" for problem in problems)
        )
    levels = _levels(recording, content)
    return tuple(
        Wave(
            tuple(item for item in level if isinstance(item, Chart)),
            tuple(item for item in level if isinstance(item, KubernetesObject)),
        )
        for level in levels
    )


def _chart(release: Resource) -> Chart:
    inputs = release.inputs
    repository = inputs.get("repositoryOpts") or {}
    other = [key for key in inputs if key not in _CHART_INPUTS | _HARMLESS_INPUTS and inputs[key]]
    other += [f"repositoryOpts.{key}" for key in repository if key != "repo"]
    if other:
        raise GitopsError(f"{release.label}: {', '.join(other)}: only the Pulumi CLI knows this")
    return Chart(
        name=inputs.get("name") or release.name,
        namespace=inputs.get("namespace") or "default",
        chart=inputs["chart"],
        version=inputs.get("version"),
        repo=repository.get("repo"),
        values=inputs.get("values") or {},
        secrets=_inside_values(release.secrets),
        unknowns=_inside_values(release.unknowns),
        skip_crds=bool(inputs.get("skipCrds")),
        timeout=int(inputs.get("timeout") or Chart.timeout),
    )


def _object(resource: Resource) -> KubernetesObject:
    inputs = resource.inputs
    if "apiVersion" not in inputs or "name" not in (inputs.get("metadata") or {}):
        raise GitopsError(f"{resource.label} has no apiVersion, kind and metadata.name")
    if resource.type.endswith("Patch"):
        raise GitopsError(f"{resource.label} changes an object of others: it needs the Pulumi CLI")
    return KubernetesObject(inputs, resource.secrets, resource.unknowns)


def _inside_values(places: tuple[Keys, ...]) -> tuple[Keys, ...]:
    return tuple(keys[1:] for keys in places)


def _unknown_values(item: Chart | KubernetesObject, secrets_elsewhere: bool) -> Iterator[str]:
    name, is_secret = str(item), False
    if isinstance(item, KubernetesObject):
        name, is_secret = str(item.key), item.content["kind"] == "Secret"
    for keys in item.unknowns:
        is_data = is_secret and len(keys) == 2 and keys[0] in SECRET_DATA
        if not (is_data and secrets_elsewhere):
            yield f"{name}: {'.'.join(keys)}"


def _levels(recording: Recording, content: Content) -> list[list[Chart | KubernetesObject]]:
    depends_on = {resource.urn: set(resource.depends_on) for resource in recording.resources}
    for urn, homes in _homes(content):
        depends_on[urn] |= homes

    @cache
    def level(urn: str) -> int:
        """One above the highest it depends on; what is no content takes no level of its own."""
        return max((level(below) + (below in content) for below in depends_on[urn]), default=0)

    levels = defaultdict(list)
    for urn, item in content.items():
        levels[level(urn)].append(item)
    return [levels[number] for number in sorted(levels)]


def _homes(content: Content) -> Iterator[tuple[str, set[str]]]:
    """For each, its namespace and its CustomResourceDefinition, if they are in the program."""
    namespaces: dict[str, str] = {}
    definitions: dict[tuple[str, str], str] = {}
    objects = {urn: item for urn, item in content.items() if isinstance(item, KubernetesObject)}
    for urn, item in objects.items():
        if item.content["kind"] == "Namespace":
            namespaces[item.key.name] = urn
        elif item.content["kind"] == "CustomResourceDefinition":
            spec = item.content["spec"]
            definitions[spec["group"], spec["names"]["kind"]] = urn
    for urn, chart_or_object in content.items():
        if isinstance(chart_or_object, Chart):
            homes = {namespaces.get(chart_or_object.namespace)}
        else:
            key = chart_or_object.key
            homes = {namespaces.get(key.namespace), definitions.get((key.group, key.kind))}
        yield urn, {home for home in homes if home}
