"""The configuration of a stack: all that a Pulumi.<stack>.yaml may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pydantic import Field

from components.chart import ChartSource
from components.cluster import ClusterSettings
from components.ingress import GatewaySettings
from components.mesh.istio.settings import IstioSettings
from components.mesh.protocol import MtlsMode
from components.model.cache import ImageCache
from components.model.memory import GPUS
from components.model.runtimes.vllm import VllmRuntime
from components.model.settings import ModelSettings
from components.settings import Problem, Settings
from components.tracing import TracingSettings
from components.types import ModelName
from stacks.presets import PRESETS


class SecuritySettings(Settings):
    """Security of the models' namespaces. Calls are denied unless a model lists the caller."""

    mtls: MtlsMode = "strict"
    """strict refuses plain text; permissive still takes it, for callers not yet in the mesh."""


class StackSettings(Settings):
    """One environment: a mesh, a gateway and models."""

    mesh: IstioSettings
    models: dict[ModelName, ModelSettings] = Field(default_factory=dict)
    gateway: GatewaySettings | None = None
    """Without one, models are reached from inside the mesh only."""
    security: SecuritySettings = SecuritySettings()
    tracing: TracingSettings | None = None
    cluster: ClusterSettings = ClusterSettings()
    charts: ChartSource | None = None
    """Where Helm charts come from. Default: their official repositories."""

    def problems(self) -> Iterator[Problem]:
        yield from self._name_problems()
        yield from self._route_problems()
        for name, model in self.models.items():
            for problem in _fit_problems(model, self.cluster.version):
                yield Problem(("models", name, *problem.path), problem.message)

    def _name_problems(self) -> Iterator[Problem]:
        """Names that are different here and the same in Kubernetes."""
        owners: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, model in self.models.items():
            service = model.service or name.replace(".", "-")
            owners[(model.namespace, service)].append(name)
            if model.canary:
                owners[(model.namespace, f"{name}-canary")].append(name)
                if f"{name}-canary" in self.models:
                    owners[(model.namespace, f"{name}-canary")].append(f"{name}-canary")
        for (namespace, shared), names in owners.items():
            if len(set(names)) > 1:
                yield Problem(
                    ("models", names[-1]),
                    f"{' and '.join(names)} would both be {shared} in namespace {namespace}; "
                    "rename one, or set service",
                )

    def _route_problems(self) -> Iterator[Problem]:
        if self.gateway is None:
            return
        takers: dict[tuple[str, str], str] = {}
        for name, model in self.models.items():
            if model.route is None:
                continue
            host = model.route.host or self.gateway.host
            place = (host, model.route.prefix.rstrip("/"))
            if other := takers.get(place):
                yield Problem(
                    ("models", name, "route"),
                    f"{other} has https://{host}{model.route.prefix} already; set route.prefix, "
                    f"for example /{name}, or route.host, or route: null to keep it inside",
                )
            takers.setdefault(place, name)


def _fit_problems(model: ModelSettings, kubernetes: str | None) -> Iterator[Problem]:
    """What a model's settings ask of its preset, its GPU and its cluster."""
    profile = PRESETS.get(model.preset) if model.preset else None
    if model.preset and profile is None:
        yield Problem(
            ("preset",), f"unknown preset {model.preset}; expected one of {', '.join(PRESETS)}"
        )
    gpu = GPUS.get(model.gpu.product) if model.gpu.product else None
    if model.gpu.product and gpu is None:
        yield Problem(
            ("gpu", "product"),
            f"unknown GPU {model.gpu.product}; expected the node label nvidia.com/gpu.product, one "
            f"of {', '.join(GPUS)}",
        )
    runtime = model.runtime
    if isinstance(runtime, VllmRuntime) and profile and gpu and model.gpu.count:
        dtype = runtime.dtype or profile.dtype
        if dtype == "bfloat16" and not gpu.bfloat16:
            yield Problem(
                ("runtime", "dtype"), f"{gpu.product} has no bfloat16; set runtime.dtype: float16"
            )
        if reason := runtime.demand(profile, model.gpu.count).problem(gpu):
            yield Problem(("gpu", "product"), reason)
    if isinstance(model.cache, ImageCache) and kubernetes and int(kubernetes.split(".")[1]) < 35:
        yield Problem(
            ("cache", "kind"),
            f"image volumes need Kubernetes 1.35, the cluster has {kubernetes}; use kind: pvc",
        )
