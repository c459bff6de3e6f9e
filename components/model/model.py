"""One model, resolved: settings together with what its preset knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from components.adoption import Adoption
from components.kubernetes import recommended_labels
from components.model.memory import ModelProfile
from components.model.settings import ModelSettings
from components.model.version import INSTANCE_LABEL, Version, launch
from components.types import Hostname, Port, seconds


@dataclass(frozen=True)
class Model:
    """A model to be served: what components and meshes read, derived in one place."""

    name: str
    settings: ModelSettings
    profile: ModelProfile | None = None
    """What the preset knows; None without one."""
    traces_endpoint: str | None = None
    """OTLP/gRPC endpoint of the trace collector, as a URL."""
    prometheus: str | None = None
    """URL of the Prometheus that scrapes the model servers."""
    adoption: Adoption = "strict"
    """How far the model's namespace has come into the mesh."""
    canary_profile: ModelProfile | None = None
    """What the preset of the canary knows."""
    mirror: Model | None = None
    """The model that gets a copy of the requests."""
    mirrored_from: tuple[Model, ...] = ()
    """The models whose requests this one gets a copy of: their callers reach it too."""

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    @property
    def name_label(self) -> str:
        """The name as a DNS label, for names in which Kubernetes allows no dots."""
        return self.name.replace(".", "-")

    @property
    def service(self) -> str:
        return self.settings.service or self.name_label

    @property
    def service_host(self) -> Hostname:
        return f"{self.service}.{self.namespace}.svc.cluster.local"

    @property
    def port(self) -> Port:
        return self.settings.runtime.port

    @property
    def service_account(self) -> str:
        return self.name_label

    @property
    def public_paths(self) -> tuple[str, ...]:
        """What may be called through the gateway; empty for all."""
        route = self.settings.route
        given = route.paths if route else None
        return self.settings.runtime.public_paths if given is None else given

    @property
    def grace_seconds(self) -> int:
        """From the order to stop until the pod is killed."""
        return int(seconds(self.settings.grace_period))

    @cached_property
    def selector(self) -> dict[str, str]:
        """Label of the pods of all versions, Flagger's copy of a Deployment included; one that a
        user may not change."""
        return {"app.kubernetes.io/name": self.name}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels of every object of the model."""
        own = {"app": self.name} | self.settings.labels
        fixed = self.selector | {INSTANCE_LABEL: self.name}
        return recommended_labels(self.name, "model-server") | own | fixed

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """The stable one first, then its canary if there is one."""
        canary, settings = self.settings.canary, self.settings.for_canary()
        if canary is None or settings is None:
            return (self._version("stable", self.name, 100, self.settings, self.profile),)
        rest = 100 - canary.weight
        name = f"{self.name}-canary"
        return (
            self._version("stable", self.name, rest, self.settings, self.profile),
            self._version("canary", name, canary.weight, settings, self.canary_profile),
        )

    def version_cookie(self, version: str) -> str:
        """The cookie that keeps a user with a version, as a Set-Cookie header."""
        return f"{self._cookie}={version}; Path=/; HttpOnly; SameSite=Lax"

    def version_cookie_pattern(self, version: str) -> str:
        """Regular expression of a whole Cookie header that has it."""
        return f"(.*;[ ]*)?{self._cookie}={version}(;.*)?"

    @property
    def _cookie(self) -> str:
        return f"{self.name_label}-version"

    @property
    def primary(self) -> str:
        """Flagger's copy of the Deployment, which serves between releases."""
        return f"{self.name}-primary"

    @property
    def release_service(self) -> str:
        """What Flagger names its Services and routes after: with -primary and -canary."""
        return f"{self.service}-release"

    @property
    def release_services(self) -> tuple[str, str, str]:
        """The Services that Flagger makes: of the pods that serve, by two names, and of the new
        version's."""
        name = self.release_service
        return name, f"{name}-primary", f"{name}-canary"

    @property
    def stable(self) -> Version:
        return self.versions[0]

    def _version(
        self,
        name: str,
        deployment: str,
        weight: int,
        settings: ModelSettings,
        profile: ModelProfile | None,
    ) -> Version:
        start = launch(self.name, settings, profile, self.traces_endpoint)
        return Version(name, deployment, weight, settings, start)
