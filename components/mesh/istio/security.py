"""Istio's security: mTLS and default deny for a namespace, and who may call a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.adoption import Adoption
from components.ai_gateway import names
from components.callers import Caller
from components.kubernetes import Manifest, manifest
from components.mesh.istio import gateway, metering
from components.mesh.istio.settings import IstioSettings
from components.model.model import Model

Rule = dict[str, Any]
"""A rule of an AuthorizationPolicy."""


def namespace_policies(namespace: str, adoption: Adoption) -> tuple[Manifest, ...]:
    """mTLS for every workload, and an allow-nothing policy that each model's own adds to.

    Metrics stay reachable: Prometheus scrapes the proxy's merged port 15020, which is not
    redirected and so under neither policy (https://github.com/istio/istio/issues/27328).
    """
    if adoption == "unmeshed":
        return ()
    return (
        manifest(
            "security.istio.io/v1",
            "PeerAuthentication",
            "default",
            namespace,
            spec={"mtls": {"mode": adoption.upper()}},
        ),
        manifest(
            "security.istio.io/v1", "AuthorizationPolicy", "allow-nothing", namespace, spec={}
        ),
    )


def model_policies(
    settings: IstioSettings, model: Model, has_gateway: bool
) -> tuple[Manifest, ...]:
    """ALLOW for the callers, and always for the gateway, which an ALLOW policy without it would
    lock out (https://github.com/istio/istio/issues/41690).

    Plain text has no identity to go by: where it is taken, anybody may call.
    """
    if model.adoption == "unmeshed":
        return ()
    through = gateway.principal(settings) if has_gateway else None
    rules = [
        allowed
        for source in (model, *model.mirrored_from)
        for allowed in rules_of(source, model, through, metering.principal(settings))
    ]
    if model.adoption == "permissive":
        rules = [anybody(model)]
    return (
        manifest(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            f"{model.name_label}-callers",
            model.namespace,
            labels=model.labels,
            spec={"selector": {"matchLabels": model.selector}, "action": "ALLOW", "rules": rules},
        ),
    )


def rules_of(
    source: Model,
    model: Model,
    gateway_principal: str | None,
    counter_principal: str | None = None,
) -> Iterator[Rule]:
    """What lets the callers of `source` reach `model`: itself, or one that is mirrored to it.

    Where tokens are counted, what may generate comes from the proxies that count, and not past
    them.
    """
    if gateway_principal is not None and source.settings.route is not None:
        paths = source.public_paths
        if counter_principal and source.settings.traffic.token_budget:
            free, counted = names.FREE_METHODS, names.COUNTED_METHODS
            yield rule(model, Caller(principal=gateway_principal, methods=free, paths=paths))
            yield rule(model, Caller(principal=counter_principal, methods=counted, paths=paths))
        else:
            yield rule(model, Caller(principal=gateway_principal, paths=paths))
    for caller in source.settings.callers:
        yield rule(model, caller)


def rule(model: Model, caller: Caller) -> Rule:
    if caller.principal is not None:
        source: dict[str, Any] = {"principals": [caller.principal]}
    else:
        source = {"namespaces": [caller.namespace]}
    return {"from": [{"source": source}], "to": [_operation(model, caller)]}


def anybody(model: Model) -> Rule:
    """The model's port for all."""
    return {"to": [_operation(model, Caller())]}


def _operation(model: Model, caller: Caller) -> dict[str, Any]:
    operation: dict[str, Any] = {"ports": [str(model.port)]}
    if caller.methods:
        operation["methods"] = list(caller.methods)
    if caller.paths:
        operation["paths"] = list(caller.paths)
    return {"operation": operation}
