"""A Pulumi engine that records: `deployed(program)` is what a program registers under mocks.

Pulumi's own mocks see neither dependencies nor duplicates nor which values are secret, and a test
whose asserts run inside `apply` passes even when they fail. Here the program runs to its end, and
tests look at what was registered.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse

STACK = "pulumi:pulumi:Stack"

MADE = "made-by-pulumi"
"""What a random password is here, and a key or a certificate."""

OUTPUTS = {
    "random:": ("result",),
    "tls:": ("privateKeyPem", "certPem", "certRequestPem"),
}
"""What providers would make, by the beginning of the resource's type."""


@dataclass(frozen=True)
class Registered:
    """One resource; secret values in `inputs` are replaced by `Sealed`."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    dependencies: frozenset[str]
    create_timeout: str
    update_timeout: str

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]


@dataclass(frozen=True)
class Sealed:
    """A secret value as the engine receives it."""

    value: Any


@dataclass
class Deployment:
    """What a program registered, in the order in which the engine learnt of it."""

    resources: list[Registered] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    """URNs of components that called `register_outputs`."""

    def all(self, kind: str) -> list[Registered]:
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The only resource of a kind, by its name in Kubernetes where there are several."""
        found = [r for r in self.all(kind) if name is None or _own_name(r) == name]
        assert len(found) == 1, f"{len(found)} of kind {kind}, name {name}"
        return found[0]

    def follows(self, later: Registered, earlier: Registered) -> bool:
        """Whether `later` waits for `earlier`, directly or through others."""
        by_urn = {resource.urn: resource for resource in self.resources}
        waiting, seen = list(later.dependencies), set()
        while waiting:
            urn = waiting.pop()
            if urn not in seen:
                seen.add(urn)
                waiting += by_urn[urn].dependencies
        return earlier.urn in seen

    def parent(self, resource: Registered) -> Registered:
        return next(r for r in self.resources if r.urn == resource.parent)


def deployed(program: Callable[[], Any]) -> Deployment:
    """Run a program under mocks, to the end of everything that it registers."""
    monitor = _Recorder()
    loop = asyncio.new_event_loop()
    # What fails is raised; the tasks that it leaves behind need not say it again.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            monitor.mocks, "inference-mesh", "test", preview=False, monitor=monitor
        )
        pulumi.runtime.test(program)()
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return monitor.deployment


def plain_texts(value: Any) -> Iterator[str]:
    """Every text that stands unsealed in inputs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from plain_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from plain_texts(inner)


class _NoProvider(Mocks):
    """The recorder answers for every resource itself, and no program here calls a function."""

    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError(f"the program calls {args.token}")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(f"the program reads {args.name}")


class _Recorder(MockMonitor):
    """The mocks' engine, which keeps what mocks do not get to see; outputs are the inputs."""

    def __init__(self) -> None:
        super().__init__(_NoProvider())
        self.deployment = Deployment()
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type != STACK:
            recorded = Registered(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=_unwrapped(MessageToDict(request.object)),
                dependencies=frozenset(request.dependencies),
                create_timeout=request.customTimeouts.create,
                update_timeout=request.customTimeouts.update,
            )
            with self._lock:
                known = {resource.urn for resource in self.deployment.resources}
                assert urn not in known, f"two resources have the URN {urn}"
                self.deployment.resources.append(recorded)
        for provider, names in OUTPUTS.items():
            if request.type.startswith(provider):
                request.object.update({name: MADE for name in names if name not in request.object})
        return RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=request.object)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.deployment.finished.add(request.urn)
        return super().RegisterResourceOutputs(request)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return Sealed(_unwrapped(value["value"]))
        return {key: _unwrapped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unwrapped(inner) for inner in value]
    return value


def _own_name(resource: Registered) -> str:
    metadata = resource.inputs.get("metadata")
    return str(metadata["name"] if metadata else resource.inputs.get("name", resource.name))
