"""The Pulumi SDK, run in one thread and without what only a real engine needs.

The SDK is made to wait for an engine in another process, and spends most of its time on that:
2.0 ms a resource, of which 0.6 ms are left here (`make bench`). Its version is pinned, and the
tests of `record` compare both ways.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi import Resource
from pulumi.runtime import resource, rpc
from pulumi.runtime.proto import source_pb2

_KEPT = "inference-mesh:kept"


class Loop(asyncio.SelectorEventLoop):
    """An event loop that makes the SDK's calls to its monitor in place, not in a thread."""

    def run_in_executor(  # type: ignore[override]
        self, _executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """The finished future of the call."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class Shortcut:
    """Hands inputs that are plain data from the SDK to the monitor and back, beside the wire.

    Serializing them, which awaits every value, and deserializing them as outputs would give equal
    data.
    """

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self._serialize = rpc.serialize_properties
        self._resolve = rpc.resolve_outputs

    def kept(self, struct: Struct) -> dict[str, Any] | None:
        """The inputs that this message stands for, or None if it holds them itself."""
        if _KEPT not in struct.fields:
            return None
        return self._kept[int(struct.fields[_KEPT].number_value)]

    async def serialize(
        self, inputs: Any, deps: Any, owner: Any = None, rename: Any = None, typ: Any = None,
        **options: Any,
    ) -> Struct:  # fmt: skip
        """In place of `rpc.serialize_properties`."""
        if owner is not None and typ is None and _keeps_names(owner):
            try:
                plain = {key: _copy(inputs[key]) for key in inputs if inputs[key] is not None}
            except TypeError:
                pass
            else:
                struct = Struct()
                struct[_KEPT] = len(self._kept)
                self._kept.append(plain)
                return struct
        return await self._serialize(inputs, deps, owner, rename, typ, **options)

    def resolve(
        self, owner: Resource, inputs: Struct, outputs: Struct, deps: Any, resolvers: Any,
        custom: bool, *more: Any, **options: Any,
    ) -> None:  # fmt: skip
        """In place of `rpc.resolve_outputs`."""
        kept = self.kept(outputs)
        if kept is None:
            self._resolve(owner, inputs, outputs, deps, resolvers, custom, *more, **options)
        else:
            rpc.resolve_properties(resolvers, kept, {}, custom)


@contextmanager
def lean(make_urn: Callable[[str, str, str], str]) -> Iterator[Shortcut]:
    """Run the SDK without source positions, without the URN for a run that has no monitor (six
    tasks of the event loop), with plain inputs cut short, and with no garbage collection.
    """
    real_urn = resource.create_urn

    def create_urn(name: Any, type_: Any, parent: Any = None, *alias: Any) -> Any:
        return (
            real_urn(name, type_, parent, *alias) if alias else _Urn(make_urn, name, type_, parent)
        )

    shortcut = Shortcut()
    collecting = gc.isenabled()
    with ExitStack() as patches:
        for module, name, short in (
            (resource, "_get_stack_trace", source_pb2.StackTrace),
            (resource, "create_urn", create_urn),
            (rpc, "serialize_properties", shortcut.serialize),
            (rpc, "resolve_outputs", shortcut.resolve),
        ):
            patches.enter_context(patch.object(module, name, short))
        gc.disable()
        try:
            yield shortcut
        finally:
            if collecting:
                gc.enable()


def _keeps_names(owner: Resource) -> bool:
    """Whether its inputs go to the engine under the names that they have."""
    kind = type(owner)
    return (
        kind.translate_input_property is Resource.translate_input_property
        and kind.translate_output_property is Resource.translate_output_property
    )


def _copy(value: Any) -> Any:
    """Plain data; TypeError for anything else, such as an Output or a resource."""
    kind = type(value)
    if kind is dict:
        return {key: _copy(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_copy(item) for item in value]
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is str or kind is int or kind is bool or value is None:
        return value
    raise TypeError


class _Urn:
    """Stands for the Output that the SDK waits for."""

    def __init__(self, make: Callable[[str, str, str], str], *parts: str | None) -> None:
        self._make = make
        self._name, self._type, self._parent = (part or "" for part in parts)

    async def future(self) -> str:
        return self._make(self._parent, self._type, self._name)
