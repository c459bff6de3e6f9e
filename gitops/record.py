"""A Pulumi program run without the Pulumi CLI, and what it would have created."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import runpy
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pulumi
from pulumi.runtime import set_all_config
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse
from pulumi.runtime.settings import Settings, configure
from pulumi.runtime.stack import run_in_stack

from gitops import sdk
from gitops.errors import GitopsError
from gitops.plain import Keys, Plain, plain
from gitops.stackfile import PROJECT, StackFile

RELEASE = "kubernetes:helm.sh/v3:Release"
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One resource as the program declared it.

    `secrets` and `unknowns` are the places inside `inputs` of values that are secret, and of values
    that only a deployment by Pulumi can tell (where the input is then None).
    `depends_on` holds the URNs of all that must exist before it, through its parents too.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    secrets: tuple[Keys, ...]
    unknowns: tuple[Keys, ...]
    depends_on: tuple[str, ...]

    @property
    def label(self) -> str:
        """How a message names it: `api-key (random:index/randomPassword:RandomPassword)`."""
        return f"{self.name} ({self.type})"


@dataclass(frozen=True)
class Recording:
    """All resources, dependencies first and otherwise by URN, and the stack's outputs."""

    resources: tuple[Resource, ...]
    outputs: dict[str, Any]


def record(program: Path, stack: StackFile) -> Recording:
    """Run `program` (the `__main__.py` of a Pulumi program) with the configuration of `stack`.

    It runs as in a preview: what only a deployment can tell stays unknown. Raises GitopsError for
    what the program itself refuses (`pulumi.RunError`) and for what needs the Pulumi CLI.
    """
    monitor = _Recorder()

    async def main() -> None:
        configure(Settings(PROJECT, stack.name, monitor=monitor, dry_run=True))
        set_all_config(stack.config, [])
        await run_in_stack(lambda: _execute(program))

    with (
        sdk.lean(monitor.make_urn) as monitor.shortcut,
        asyncio.Runner(loop_factory=sdk.Loop) as runner,
    ):
        runner.get_loop().set_exception_handler(lambda *_: None)
        try:
            runner.run(main(), context=contextvars.Context())
        except pulumi.RunError as error:
            raise GitopsError(str(error)) from None
    return Recording(tuple(_ordered(monitor.recorded)), monitor.outputs)


def _execute(program: Path) -> None:
    """As the Pulumi CLI does it: in the program's folder, which is where it imports from."""
    folder = str(program.parent.resolve())
    sys.path.insert(0, folder)
    try:
        with contextlib.chdir(folder):
            runpy.run_path(program.name, run_name="__main__")
    finally:
        sys.path.remove(folder)


class _Recorder(MockMonitor):
    """Stands where the Pulumi engine would: takes registrations, and gives inputs as outputs.

    Its methods have the names of the engine's gRPC service.
    """

    def __init__(self) -> None:
        self.shortcut = sdk.Shortcut()
        self.recorded: dict[str, Resource] = {}
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return RegisterResourceResponse(urn=urn)
        resource = self._resource(urn, request)
        if urn in self.recorded:
            raise GitopsError(f"two resources have the same type and name: {resource.label}")
        if request.remote:
            raise GitopsError(f"{resource.label} is made by a provider: it needs the Pulumi CLI")
        if request.transforms:
            raise GitopsError(f"{resource.label} has transforms, which need the Pulumi CLI")
        self.recorded[urn] = resource
        if not resource.custom:
            return RegisterResourceResponse(urn=urn)
        if resource.type == RELEASE and self.shortcut.kept(request.object) is None:
            request.object["status"] = {
                key: resource.inputs.get(key) for key in ("name", "namespace", "chart", "version")
            } | {"status": "deployed"}
        return RegisterResourceResponse(urn=urn, id=_id(resource), object=request.object)

    def RegisterResourceOutputs(self, request: Any) -> None:  # noqa: N802
        if request.urn.split("::")[2] == _STACK:
            self.outputs = plain(request.outputs).value

    def _resource(self, urn: str, request: Any) -> Resource:
        kept = self.shortcut.kept(request.object)
        inputs = plain(request.object) if kept is None else Plain(kept)
        depends_on = set(request.dependencies)
        if above := self.recorded.get(request.parent):
            depends_on.update([above.urn] if above.custom else above.depends_on)
        return Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=request.custom,
            inputs=inputs.value,
            secrets=tuple(inputs.secrets),
            unknowns=tuple(inputs.unknowns),
            depends_on=tuple(sorted(depends_on)),
        )

    def Invoke(self, request: Any) -> NoReturn:  # noqa: N802
        raise GitopsError(f"the program calls {request.tok}, which needs the Pulumi CLI")

    def ReadResource(self, request: Any) -> NoReturn:  # noqa: N802
        raise GitopsError(f"the program reads {request.type}, which needs the Pulumi CLI")

    def RegisterStackTransform(self, _request: Any) -> NoReturn:  # noqa: N802
        raise GitopsError("the program transforms its resources, which needs the Pulumi CLI")


def _id(resource: Resource) -> str:
    named = resource.inputs.get("metadata") or resource.inputs
    parts = named.get("namespace"), named.get("name") or resource.name
    return "/".join(part for part in parts if part)


def _ordered(recorded: dict[str, Resource]) -> Iterator[Resource]:
    """Dependencies first; the SDK registers in an order that is not the same in each run."""
    waiting = {urn: len(resource.depends_on) for urn, resource in recorded.items()}
    followers = defaultdict(list)
    for resource in recorded.values():
        for dependency in resource.depends_on:
            followers[dependency].append(resource.urn)
    ready = [urn for urn, count in waiting.items() if not count]
    heapq.heapify(ready)
    while ready:
        urn = heapq.heappop(ready)
        yield recorded[urn]
        for follower in followers[urn]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, follower)
