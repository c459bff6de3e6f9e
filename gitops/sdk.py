"""The Pulumi SDK, run in one thread and without what only a real engine uses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2


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


@contextmanager
def lean(make_urn: Callable[[str, str, str], str]) -> Iterator[None]:
    """Leave out what only a real engine uses, which is more than half of the time (`make bench`).

    That is the source position of each resource, the URN for a run with no monitor, which takes
    six tasks of the event loop, and garbage collection while nothing is garbage.
    """
    kept = resource._get_stack_trace, resource.create_urn
    collecting = gc.isenabled()

    def create_urn(name: Any, type_: Any, parent: Any = None, *alias: Any) -> Any:
        return (
            kept[1](name, type_, parent, *alias) if alias else _Urn(make_urn, name, type_, parent)
        )

    gc.disable()
    _install(resource, source_pb2.StackTrace, create_urn)
    try:
        yield
    finally:
        _install(resource, *kept)
        if collecting:
            gc.enable()


def _install(sdk: Any, get_stack_trace: Any, create_urn: Any) -> None:
    sdk._get_stack_trace, sdk.create_urn = get_stack_trace, create_urn


class _Urn:
    """Stands for the Output that the SDK waits for."""

    def __init__(self, make: Callable[[str, str, str], str], *parts: str | None) -> None:
        self._make = make
        self._name, self._type, self._parent = (part or "" for part in parts)

    async def future(self) -> str:
        return self._make(self._parent, self._type, self._name)
