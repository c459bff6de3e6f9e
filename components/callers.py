"""Who may call a model, whatever the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from components.settings import Problem, Settings
from components.types import Name, PathPattern, Principal

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Caller(Settings):
    """A namespace, or one workload by its identity, and what it may do.

    In short form a string: the namespace's name, or the principal.
    """

    namespace: Name | None = None
    """Every workload of this namespace."""
    principal: Principal | None = None
    """One workload, for example cluster.local/ns/default/sa/api-gateway."""
    methods: tuple[Method, ...] = ()
    """Allowed HTTP methods; empty for all."""
    paths: tuple[PathPattern, ...] = ()
    """Allowed paths, `*` at the end as a wildcard; empty for all."""

    def problems(self) -> Iterator[Problem]:
        if (self.namespace is None) == (self.principal is None):
            yield Problem(
                (), "a caller is either a namespace or a principal; give exactly one of them"
            )


def _from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {"principal" if "/" in value else "namespace": value}


AnyCaller = Annotated[Caller, BeforeValidator(_from_text, json_schema_input_type=Caller | str)]
