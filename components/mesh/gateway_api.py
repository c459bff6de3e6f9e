"""The Gateway API in the parts that meshes share: its definitions, routes, the Services that they
split among, and a gateway.

Any mesh that implements GAMMA reads an HTTPRoute whose parent is a Service
(https://gateway-api.sigs.k8s.io/mesh/). It splits among Services, not subsets, so that every
version of a model has one of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.kubernetes import Manifest, manifest
from components.model import objects
from components.model.model import Model
from components.model.version import VERSIONS

GROUP = "gateway.networking.k8s.io"
VERSION = f"{GROUP}/v1"

DEFINITIONS = Path(__file__).with_name("gateway-api-1.6.0.jsonl")
"""The standard channel of the release, one object a line, without the descriptions of fields."""

WAIT = {"pulumi.com/waitFor": "condition=Programmed"}
"""Annotation of a Gateway: it is there once its proxies have an address and their routes.

https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
"""

MEMBERS = {"app.kubernetes.io/part-of": "inference-mesh"}
"""Label of the namespaces whose routes a gateway takes: those that this program makes."""

Part = dict[str, Any]
"""A part of a route."""


def definitions() -> tuple[Manifest, ...]:
    """The Gateway API's definitions, for the one mesh that owns them in its cluster
    (https://github.com/linkerd/linkerd2/issues/13334).

    As objects, since the chart that there is of them, gateway-crds-helm, is too large for a Helm
    release (https://github.com/envoyproxy/gateway/issues/6105).
    """
    return tuple(json.loads(line) for line in DEFINITIONS.read_text().splitlines())


def version_service(model: Model, version: str) -> str:
    """Name of the Service of one version."""
    return f"{model.service}-{version}"


def version_services(model: Model) -> tuple[Manifest, ...]:
    """A Service for every version that may run.

    Also for a canary that is not there, so that a route that still names it does not break while
    it goes. Pulumi would wait for its pods in vain.
    """
    whole = objects.service(model)
    return tuple(
        manifest(
            "v1",
            "Service",
            version_service(model, version),
            model.namespace,
            labels=model.labels,
            annotations={"pulumi.com/skipAwait": "true"},
            spec=whole["spec"] | {"selector": model.selector | {"version": version}},
        )
        for version in VERSIONS
    )


def service_route(
    model: Model, timeouts: Part | None = None, annotations: dict[str, str] | None = None
) -> Manifest:
    """Calls from inside the mesh to the model's Service: split among its versions."""
    rules = _split_rules(model, {}, timeouts)
    parent = service_reference(model)
    return http_route(model, model.service, parent, rules, annotations=annotations)


def service_reference(model: Model) -> Part:
    """How a route names the model's Service as its parent."""
    return {"group": "", "kind": "Service", "name": model.service}


def gateway_route(
    model: Model,
    host: str,
    gateway: Part,
    *,
    split: bool,
    timeouts: Part | None = None,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    """Calls through a gateway, `gateway` being the reference to it, by host and prefix.

    With `split` the gateway chooses among the versions. Without, it sends all to the model's
    Service, behind which a proxy of the mesh chooses as it does for every caller.
    """
    prefix = (model.settings.route.prefix if model.settings.route else "").rstrip("/")
    place: Part = {}
    if prefix:
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        place = {
            "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
            "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        }
    if split:
        rules = _split_rules(model, place, timeouts)
    else:
        rules = [{"name": model.name, **place, "backendRefs": [_backend(model, model.service)]}]
    return http_route(
        model, f"{model.service}-gateway", gateway, rules, hostnames=[host], annotations=annotations
    )


def http_route(
    model: Model,
    name: str,
    parent: Part,
    rules: list[Part],
    *,
    hostnames: list[str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    spec: Part = {"parentRefs": [parent]}
    if hostnames:
        spec["hostnames"] = hostnames
    return manifest(
        VERSION,
        "HTTPRoute",
        name,
        model.namespace,
        labels=model.labels,
        annotations=annotations,
        spec=spec | {"rules": rules},
    )


def _split_rules(model: Model, place: Part, timeouts: Part | None) -> list[Part]:
    """A rule for every kind of request that comes in at a place, the most special first."""
    common: Part = {"timeouts": timeouts} if timeouts else {}
    if filters := [*place.get("filters", []), *_mirror(model)]:
        common["filters"] = filters
    rules = []
    for suffix, headers, backends in _kinds(model):
        kind = {"headers": headers} if headers else {}
        matches = [match | kind for match in place.get("matches", [{}])]
        rule = {"name": f"{model.name}{suffix}"} | ({"matches": matches} if any(matches) else {})
        rules.append(rule | common | {"backendRefs": backends})
    return rules


def _kinds(model: Model) -> list[tuple[str, list[Part], list[Part]]]:
    """The kinds of request: a suffix for the rule's name, the headers, and where it goes."""
    canary = model.settings.canary
    kinds = []
    if canary and canary.headers:
        exactly = [
            {"type": "Exact", "name": name, "value": value}
            for name, value in canary.headers.items()
        ]
        kinds.append(("-by-header", exactly, [_only(model, "canary")]))
    if canary and canary.sticky:
        kinds += [
            (f"-keeps-{version.name}", [_cookie(model, version.name)], [_only(model, version.name)])
            for version in model.versions
        ]
    return [*kinds, ("", [], _split(model))]


def _cookie(model: Model, version: str) -> Part:
    return {
        "type": "RegularExpression",
        "name": "cookie",
        "value": model.version_cookie_pattern(version),
    }


def _only(model: Model, version: str) -> Part:
    return _backend(model, version_service(model, version))


def _backend(model: Model, service: str) -> Part:
    return {"group": "", "kind": "Service", "name": service, "port": model.port}


def _split(model: Model) -> list[Part]:
    """By weight; where users stay with their version, the answer tells them which it was."""
    canary = model.settings.canary
    backends = []
    for version in model.versions:
        backend = _only(model, version.name) | {"weight": version.weight}
        if canary and canary.sticky:
            header = {"name": "set-cookie", "value": model.version_cookie(version.name)}
            change = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [header]}}
            backend["filters"] = [change]
        backends.append(backend)
    return backends


def _mirror(model: Model) -> list[Part]:
    settings, target = model.settings.traffic.mirror, model.mirror
    if settings is None or target is None:
        return []
    copy = {"backendRef": mirror_reference(target), "percent": settings.percent}
    return [{"type": "RequestMirror", "requestMirror": copy}]


def mirror_reference(target: Model) -> Part:
    """How a route names the model that gets a copy of its requests."""
    return _only(target, "stable") | {"namespace": target.namespace}


def mirror_grant(model: Model) -> tuple[Manifest, ...]:
    """Leave for the routes of other namespaces to mirror requests to this model."""
    others = {source.namespace for source in model.mirrored_from} - {model.namespace}
    if not others:
        return ()
    sources = [
        {"group": GROUP, "kind": "HTTPRoute", "namespace": namespace}
        for namespace in sorted(others)
    ]
    target = {"group": "", "kind": "Service", "name": version_service(model, "stable")}
    return (
        manifest(
            VERSION,
            "ReferenceGrant",
            f"{model.service}-mirror",
            model.namespace,
            labels=model.labels,
            spec={"from": sources, "to": [target]},
        ),
    )


def gateway(
    name: str,
    namespace: str,
    class_name: str,
    tls_secret: str,
    *,
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> tuple[Manifest, Manifest]:
    """A gateway that serves HTTPS, and the route that sends plain HTTP there.

    Its routes choose the hosts; it takes those of this program's namespaces alone.
    """
    members = {"namespaces": {"from": "Selector", "selector": {"matchLabels": MEMBERS}}}
    tls = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": tls_secret}]}
    http = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": members}
    https = {"name": "https", "port": 443, "protocol": "HTTPS", "allowedRoutes": members}
    listening = manifest(
        VERSION,
        "Gateway",
        name,
        namespace,
        labels=labels,
        annotations=WAIT,
        spec={"gatewayClassName": class_name, "listeners": [http, https | {"tls": tls}], **spec},
    )
    redirect = {"scheme": "https", "statusCode": 301}
    rule = {"filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}
    redirecting = manifest(
        VERSION,
        "HTTPRoute",
        f"{name}-redirect",
        namespace,
        spec={"parentRefs": [reference(name, namespace, "http")], "rules": [rule]},
    )
    return listening, redirecting


def reference(name: str, namespace: str, listener: str) -> Part:
    """How a route names the gateway's listener that it belongs to."""
    return {
        "group": GROUP,
        "kind": "Gateway",
        "name": name,
        "namespace": namespace,
        "sectionName": listener,
    }
