"""Ambient's security: mTLS and default deny for a namespace, and who may call a model.

Rules by path and method are the waypoint's, to which they are attached by `targetRefs`. The node's
proxy knows identities and ports alone, and lets nobody but the waypoint in, so that there is no
way around it (https://istio.io/latest/docs/ambient/usage/l7-features/).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from components.adoption import Adoption
from components.callers import Caller
from components.kubernetes import Manifest, manifest
from components.mesh import gateway_api
from components.mesh.ambient import gateway, waypoint
from components.mesh.istio import security as istio
from components.mesh.istio.settings import IstioSettings
from components.model.model import Model

WAYPOINT = {"group": gateway_api.GROUP, "kind": "Gateway", "name": waypoint.NAME}


def namespace_policies(
    settings: IstioSettings, namespace: str, adoption: Adoption, grace_seconds: int
) -> tuple[Manifest, ...]:
    """As with sidecars, and the same again for the waypoint, which heeds only what names it."""
    if adoption == "unmeshed":
        return ()
    return (
        *istio.namespace_policies(namespace, adoption),
        _policy("allow-nothing-at-waypoint", namespace, targetRefs=[WAYPOINT]),
        *waypoint.waypoint(settings, namespace, grace_seconds),
    )


def model_policies(
    settings: IstioSettings, model: Model, has_gateway: bool
) -> tuple[Manifest, ...]:
    if model.adoption == "unmeshed":
        return ()
    return (
        _callers(settings, model, has_gateway),
        _from_waypoint(settings, model),
        *_metrics(model),
    )


def _callers(settings: IstioSettings, model: Model, has_gateway: bool) -> Manifest:
    """At the waypoint: who may call the model's Service, and what."""
    through = gateway.principal(settings) if has_gateway else None
    if model.adoption == "permissive":
        rules = [istio.anybody(model)]
    else:
        rules = list(istio.rules_of(model, model, through))
    target = {"group": "", "kind": "Service", "name": model.service}
    return _model_policy(model, "callers", targetRefs=[target], rules=rules)


def _from_waypoint(settings: IstioSettings, model: Model) -> Manifest:
    """At the node: the waypoint, and those of the namespaces whose requests are mirrored."""
    namespaces = dict.fromkeys(one.namespace for one in (model, *model.mirrored_from))
    principals = [waypoint.principal(settings, namespace) for namespace in namespaces]
    rule = istio.anybody(model)
    if model.adoption == "strict":
        rule["from"] = [{"source": {"principals": principals}}]
    selector = {"matchLabels": model.selector}
    return _model_policy(model, "waypoint", selector=selector, rules=[rule])


def _metrics(model: Model) -> tuple[Manifest, ...]:
    """Prometheus may read the metrics of pods, which it calls by their own addresses.

    It has to be in the mesh: without a sidecar there is no other port for it.
    """
    path, namespace = model.settings.runtime.metrics_path, _namespace_of(model.prometheus)
    if path is None or namespace is None:
        return ()
    caller = Caller(namespace=namespace, methods=("GET",), paths=(path,))
    return (
        _model_policy(model, "metrics", targetRefs=[WAYPOINT], rules=[istio.rule(model, caller)]),
    )


def _namespace_of(url: str | None) -> str | None:
    """Of a Service in the cluster, by its name in DNS; None for an address elsewhere."""
    host = (urlsplit(url).hostname or "") if url else ""
    _, _, rest = host.partition(".")
    namespace, _, zone = rest.partition(".")
    return namespace if namespace and zone in ("", "svc", "svc.cluster.local") else None


def _model_policy(model: Model, suffix: str, **spec: Any) -> Manifest:
    policy = _policy(f"{model.name_label}-{suffix}", model.namespace, **spec)
    policy["metadata"]["labels"] = model.labels
    return policy


def _policy(name: str, namespace: str, **spec: Any) -> Manifest:
    return manifest("security.istio.io/v1", "AuthorizationPolicy", name, namespace, spec=spec)
