"""A model that Flagger releases on a simulated cluster, and how far its release has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import yaml

from stacks.schema import PREFIX
from tests.feed import Serving
from tests.stacks.conftest import Site
from tests.stacks.files import ROOT

NAME = NAMESPACE = "llm-production"
RELEASE = f"{NAME}-release"
ENDS = ("Succeeded", "Failed")
RELEASE_SECONDS = 240


@dataclass
class Released:
    """A site with one more model, which Flagger releases."""

    site: Site
    prometheus: str
    new: Serving
    """The pods under test."""
    seen: list[int] = field(default_factory=list)
    """The new version's weights of the last release, as they came."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What the model's settings say beyond those that every release needs."""

    def up(self, image: str, *, progressive: bool = True) -> None:
        """Deploy the model with this image, beside those of the site."""
        local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
        model = {
            "preset": "deepseek-r1-distill-qwen-1.5b",
            "namespace": NAMESPACE,
            "runtime": {"kind": "vllm", "image": image},
            "gpu": {"product": "NVIDIA-L4"},
            "replicas": 2,
            "route": {"prefix": "/production"},
        }
        model |= self.settings
        if progressive:
            steps = {"step": 10, "max": 50, "interval": "10s", "threshold": 2}
            model["progressive"] = steps
        models = local[f"{PREFIX}models"] | {NAME: model}
        self.site.said.clear()
        self.site.up(models=models, prometheus=self.prometheus)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.site.get(kind, name, f"--namespace={NAMESPACE}")
        return found

    def phase(self) -> str:
        return str((self.get("canary", NAME).get("status") or {}).get("phase"))

    def weights(self) -> dict[str, int]:
        """By Service, in the route that Flagger writes."""
        (route,) = self.get("virtualservice", RELEASE)["spec"]["http"]
        return {each["destination"]["host"]: each.get("weight", 0) for each in route["route"]}

    def weight(self) -> int:
        """Of the new version."""
        weights = self.weights()
        assert sum(weights.values()) == 100
        return int(weights[f"{RELEASE}-canary"])

    def image(self, deployment: str) -> str:
        template = self.get("deployment", deployment)["spec"]["template"]
        return str(template["spec"]["containers"][0]["image"])

    def replicas(self, deployment: str) -> int:
        return int(self.get("deployment", deployment)["spec"]["replicas"])

    def watch(self, until: tuple[str, ...], weight: int | None = None) -> None:
        """Follow the release to one of these phases, or to a weight."""
        deadline = time.monotonic() + RELEASE_SECONDS
        while time.monotonic() < deadline:
            now, phase = self.weight(), self.phase()
            if self.seen[-1:] != [now]:
                self.seen.append(now)
            if now == weight or phase in until:
                return
            time.sleep(0.5)
        raise AssertionError(f"weights {self.seen}, phase {phase}: {self.reasons()}")

    def exists(self, kind: str, name: str) -> bool:
        return self.site.get(kind, name, f"--namespace={NAMESPACE}") is not None

    def available(self, deployment: str) -> int:
        return int(self.get("deployment", deployment)["status"].get("availableReplicas", 0))

    def ready(self) -> int:
        """Pods behind the model's Service that take requests."""
        selector = f"--selector=kubernetes.io/service-name={NAME}"
        slices = self.site.get("endpointslices", f"--namespace={NAMESPACE}", selector)["items"]
        endpoints = [each for item in slices for each in item.get("endpoints") or []]
        return sum(each["conditions"]["ready"] for each in endpoints)

    def reasons(self) -> list[str]:
        events = self.site.get("events", f"--namespace={NAMESPACE}")["items"]
        return [event["message"] for event in events if event["involvedObject"]["kind"] == "Canary"]


def eventually(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert holds()


class ReleasedByRoute(Released):
    """Where Flagger's route is one of the Gateway API."""

    def rule(self) -> dict[str, Any]:
        (rule,) = self.get("httproute", RELEASE)["spec"]["rules"]
        return dict(rule)

    def weights(self) -> dict[str, int]:
        return {each["name"]: each["weight"] for each in self.rule()["backendRefs"]}
