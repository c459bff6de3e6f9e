"""Which model has which place at the gateway, and what cannot be side by side there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.ingress import Hosts
from components.model.model import Model
from components.model.route import RouteSettings
from components.model.settings import ModelSettings
from components.settings import Problem

LONGEST_POOL = 40
"""Characters of a pool's name that the inference extension's chart keeps for its picker's."""


@dataclass(frozen=True)
class _Place:
    name: str
    model: ModelSettings
    route: RouteSettings
    host: str

    @property
    def prefix(self) -> str:
        return self.route.prefix.rstrip("/")

    @property
    def whole(self) -> bool:
        """It takes what is left of its host."""
        return not self.prefix and not self.route.by_model

    @property
    def special(self) -> bool:
        """Some of its requests are told by headers, whose routes are no longer what is left."""
        canary, fault = self.model.canary, self.model.traffic.fault
        return bool((canary and (canary.headers or canary.sticky)) or (fault and fault.headers))


def hosts(models: Mapping[str, ModelSettings], main: str) -> Hosts:
    places = _places(models, main)
    every = tuple(dict.fromkeys([main, *(place.host for place in places)]))
    whole = {place.host for place in places if place.whole}
    by_model = {place.host for place in places if place.route.by_model}
    picked = {place.host for place in places if place.model.traffic.picker}
    return Hosts(
        every,
        tuple(host for host in every if host not in whole),
        tuple(host for host in every if host in by_model),
        tuple(host for host in every if host in picked),
    )


def route_problems(models: Mapping[str, ModelSettings], main: str) -> Iterator[Problem]:
    """Pairs of models that the gateway could not tell apart, or not serve on one host."""
    places = _places(models, main)
    for place in places:
        service = Model(place.name, place.model).service
        if place.model.traffic.picker and len(service) > LONGEST_POOL:
            yield Problem(
                ("models", place.name, "service"),
                f"the endpoint picker is named after Service {service} and keeps {LONGEST_POOL} "
                "characters of it; set a shorter service",
            )
    for number, place in enumerate(places):
        for earlier in places[:number]:
            if earlier.host == place.host and (reason := _pair_problem(earlier, place)):
                yield Problem(("models", place.name, "route"), reason)


def _places(models: Mapping[str, ModelSettings], main: str) -> list[_Place]:
    return [
        _Place(name, model, model.route, model.route.host or main)
        for name, model in models.items()
        if model.route
    ]


def _pair_problem(one: _Place, other: _Place) -> str | None:
    """Why two models cannot share their host. Meshes try routes in an order of their own."""
    address = f"https://{one.host}{one.prefix or '/'}"
    apart = f"set route.prefix, for example /{other.name}, or route.host, or route: null to keep it"
    if bool(one.model.traffic.picker) != bool(other.model.traffic.picker):
        return (
            f"an endpoint picker chooses the pods of one of {one.name} and {other.name}, and a "
            f"host is served with pickers or without; give one of them a route.host of its own"
        )
    for whole, neighbour in ((one, other), (other, one)):
        if whole.whole and not neighbour.whole and whole.special:
            return (
                f"{whole.name} takes what is left of {one.host}, but its requests with a header "
                f"or cookie would be taken from {neighbour.name} too; give {whole.name} a "
                "route.prefix, or a route.host of its own"
            )
    if one.route.by_model and other.route.by_model:
        return None
    if one.whole != other.whole:
        return None
    if one.route.by_model or other.route.by_model:
        return (
            f"a request below a prefix may name a model too, so that {one.name} and {other.name} "
            "would both have it; set route.byModel for both, or give one a route.host of its own"
        )
    if _overlap(one.prefix, other.prefix):
        return f"{one.name} has {address} already; {apart} inside"
    return None


def _overlap(one: str, other: str) -> bool:
    """The same prefix, or one inside the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
