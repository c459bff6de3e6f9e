"""Linkerd's security: who may call a model, by mesh identity, method and path.

mTLS between meshed pods needs nothing: it is always on. A Server closes a model's port, and each
caller is let in again, either to all of it or to some methods and paths.

https://linkerd.io/2-edge/reference/authorization-policy/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.callers import Caller
from components.kubernetes import Manifest, manifest
from components.mesh.linkerd import gateway, issuer
from components.mesh.linkerd.settings import LinkerdSettings
from components.model.model import Model

GROUP = "policy.linkerd.io"
POLICY = f"{GROUP}/v1alpha1"
SERVER = f"{GROUP}/v1beta3"
ROUTE = f"{GROUP}/v1beta3"

ANYWHERE = ("0.0.0.0/0", "::/0")

MATCHES = 8
"""How many the rule of a route may have."""

UNLIMITED = 1_000_000
"""Requests a second that no proxy reaches."""

ACCESS = {"permissive": "audit", "strict": "deny"}
"""What a Server does with those whom no policy lets in; `audit` lets them in and logs them."""


@dataclass(frozen=True)
class Match:
    """Requests: those of one method and path, or of any."""

    method: str | None = None
    path: str | None = None
    """As in the settings, with `*` at the end for all below."""

    @property
    def place(self) -> str | None:
        """The path, or the one below which it is."""
        if self.path is None or not self.path.endswith("*"):
            return self.path
        return self.path.removesuffix("*").rstrip("/") or "/"

    def rule(self) -> dict[str, Any]:
        """In the Gateway API's terms."""
        match: dict[str, Any] = {}
        if self.path is not None:
            kind = "PathPrefix" if self.path.endswith("*") else "Exact"
            match["path"] = {"type": kind, "value": self.place}
        if self.method is not None:
            match["method"] = self.method
        return match


def model_policies(
    settings: LinkerdSettings, model: Model, has_gateway: bool
) -> tuple[Manifest, ...]:
    """A Server, and what lets the callers in: the gateway always, where the model has a route.

    The same objects whether plain text is taken or not, so that going strict changes one word of
    the Server and loses no request. Until then it logs those whom no policy lets in.
    """
    if model.adoption == "unmeshed":
        return ()
    callers = list(_callers(settings, model, has_gateway))
    server = _server(model)
    limit = _rate_limit(settings, model, server, has_gateway)
    free = [caller for caller in callers if not (caller.methods or caller.paths)]
    made = [server, *limit, *_authorization(settings, model, "callers", free, _target(server))]
    if len(free) < len(callers):
        made += [*_open_to_all(model, server), *_by_request(settings, model, server, callers)]
    return tuple(made)


def _callers(settings: LinkerdSettings, model: Model, has_gateway: bool) -> Iterator[Caller]:
    if has_gateway and model.settings.route is not None:
        yield Caller(principal=gateway.principal(settings), paths=model.public_paths)
    yield from model.settings.callers


def _server(model: Model) -> Manifest:
    """HTTP/1 says that nothing has to be guessed from the first bytes; proxies among themselves
    still speak HTTP/2."""
    spec = {
        "podSelector": {"matchLabels": model.selector},
        "port": model.port,
        "proxyProtocol": "HTTP/1",
        "accessPolicy": ACCESS[model.adoption],
    }
    return _object(SERVER, "Server", "", model, spec)


def _rate_limit(
    settings: LinkerdSettings, model: Model, server: Manifest, has_gateway: bool
) -> Iterator[Manifest]:
    """Every proxy of the model counts for itself, and a caller is a mesh identity. The gateway is
    not counted: behind its one identity are many callers.

    https://linkerd.io/2-edge/reference/rate-limiting/
    """
    limit = model.settings.traffic.rate_limit
    if limit is not None:
        each = {"requestsPerSecond": limit.requests}
        spec: dict[str, Any] = {"targetRef": _target(server), "identity": each}
        if has_gateway and model.settings.route is not None:
            _, _, namespace, _, account = gateway.principal(settings).split("/")
            who = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
            spec["overrides"] = [{"requestsPerSecond": UNLIMITED, "clientRefs": [who]}]
        yield _object(POLICY, "HTTPLocalRateLimitPolicy", "callers", model, spec)


def _by_request(
    settings: LinkerdSettings, model: Model, server: Manifest, callers: list[Caller]
) -> Iterator[Manifest]:
    """A route for the requests that the same callers may send, of those who may not send all.

    A request belongs to the most special route that matches it, and to that alone: so every route
    admits all whose own methods and paths include it. One that admits nobody is there for the
    others: who may send all is let in by the Server, but only to requests of some route.
    """
    # Which of two routes with the same match is taken is not said, and probes must be let in.
    public = {(match.method, match.place) for match in _public(model)}
    admitted: dict[tuple[Caller, ...], list[Match]] = {}
    for match in _matches(callers):
        if (match.method, match.place) in public:
            continue
        limited = (caller for caller in callers if caller.methods or caller.paths)
        who = tuple(caller for caller in limited if _covers(caller, match))
        admitted.setdefault(who, []).append(match)
    for number, (who, matches) in enumerate(admitted.items()):
        name = f"requests-{number}"
        route = _route(model, server, name, matches)
        yield route
        yield from _authorization(settings, model, name, list(who), _target(route))


def _matches(callers: list[Caller]) -> list[Match]:
    """All combinations of a path and a method that some caller names, and of any."""
    paths: list[str | None] = [None, *(path for caller in callers for path in caller.paths)]
    methods: list[str | None] = [None, *(name for caller in callers for name in caller.methods)]
    return [
        Match(method, path) for path in dict.fromkeys(paths) for method in dict.fromkeys(methods)
    ]


def _covers(caller: Caller, match: Match) -> bool:
    """Whether a caller may send every request that matches."""
    methods = not caller.methods or match.method in caller.methods
    paths = not caller.paths or any(_includes(path, match.path) for path in caller.paths)
    return methods and paths


def _includes(pattern: str, path: str | None) -> bool:
    if path is None:
        return pattern == "/*"
    if not pattern.endswith("*"):
        return pattern == path
    stem = pattern.removesuffix("*")
    return path == stem.rstrip("/") or path.startswith(stem)


def _open_to_all(model: Model, server: Manifest) -> Iterator[Manifest]:
    """Probes of the kubelet, and scraping: neither has an identity.

    Linkerd lets probes in by itself, but no longer once a Server has routes.
    """
    route = _route(model, server, "open", _public(model))
    yield route
    networks = [{"cidr": cidr} for cidr in ANYWHERE]
    anyone = _object(POLICY, "NetworkAuthentication", "open", model, {"networks": networks})
    yield from _admit(model, "open", anyone, _target(route))


def _public(model: Model) -> list[Match]:
    paths = []
    for version in model.versions:
        runtime = version.settings.runtime
        probe = runtime.warm_up(version.launch).get("httpGet", {}).get("path")
        paths += [runtime.health, probe, runtime.metrics_path]
    return [Match("GET", path) for path in dict.fromkeys(paths) if path]


def _route(model: Model, server: Manifest, name: str, matches: list[Match]) -> Manifest:
    found = [match.rule() for match in matches]
    chunks = [found[at : at + MATCHES] for at in range(0, len(found), MATCHES)]
    spec = {"parentRefs": [_target(server)], "rules": [{"matches": chunk} for chunk in chunks]}
    return _object(ROUTE, "HTTPRoute", name, model, spec)


def _authorization(
    settings: LinkerdSettings,
    model: Model,
    name: str,
    callers: list[Caller],
    target: dict[str, str],
) -> Iterator[Manifest]:
    """Nothing where nobody may call: without a policy nobody is let in."""
    identities = list(dict.fromkeys(_identity(settings, caller) for caller in callers))
    if identities:
        spec = {"identities": identities}
        who = _object(POLICY, "MeshTLSAuthentication", name, model, spec)
        yield from _admit(model, name, who, target)


def _admit(
    model: Model, name: str, who: Manifest, target: dict[str, str]
) -> tuple[Manifest, Manifest]:
    spec = {"targetRef": target, "requiredAuthenticationRefs": [_target(who)]}
    return who, _object(POLICY, "AuthorizationPolicy", name, model, spec)


def _identity(settings: LinkerdSettings, caller: Caller) -> str:
    if caller.principal is not None:
        return issuer.of_principal(caller.principal)
    return issuer.of_workload(str(caller.namespace), "*", settings.trust_domain)


def _target(item: Manifest) -> dict[str, str]:
    return {"group": GROUP, "kind": item["kind"], "name": item["metadata"]["name"]}


def _object(
    api_version: str, kind: str, suffix: str, model: Model, spec: dict[str, Any]
) -> Manifest:
    """Named after the model, and after what it is for where there are several."""
    name = f"{model.name_label}-{suffix}" if suffix else model.name_label
    return manifest(api_version, kind, name, model.namespace, labels=model.labels, spec=spec)
