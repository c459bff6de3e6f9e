"""The platform of a stack: every component once, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi

from components.ai_gateway.charts import charts as ai_gateway_charts
from components.ai_gateway.component import AiGateway, AiGatewayArgs
from components.ai_gateway.names import NAMESPACE as AI_GATEWAY_NAMESPACE
from components.chart import Chart, source_problem
from components.cluster import ClusterUnreachableError, running_version
from components.control_plane import ControlPlane, ControlPlaneArgs
from components.flagger import NAMESPACE as FLAGGER_NAMESPACE
from components.flagger import Flagger, FlaggerArgs
from components.flagger import chart as flagger_chart
from components.gateway import Gateway, GatewayArgs
from components.mesh.protocol import Ingress, Mesh
from components.model.cache import HostPathCache
from components.model.model import Model
from components.model.server import ModelServer, ModelServerArgs
from components.namespace import InjectedNamespace, InjectedNamespaceArgs
from components.settings import Problem
from stacks.errors import ConfigurationError
from stacks.mesh import choose
from stacks.models import mirrored_gpus, released_gpus
from stacks.models import models as resolved_models
from stacks.routes import hosts
from stacks.settings import StackSettings

KUBERNETES_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True)
class Platform:
    """What a stack deploys."""

    control_plane: ControlPlane
    gateway: Gateway | None
    flagger: Flagger | None
    ai_gateway: AiGateway | None
    namespaces: dict[str, InjectedNamespace]
    models: dict[str, ModelServer]


def build(settings: StackSettings) -> Platform:
    """Create the platform's components. Raises ConfigurationError before anything is created."""
    mesh = _mesh(settings)
    models = resolved_models(settings)
    check_surroundings(settings, mesh)
    for line in mirrored_gpus(models):
        pulumi.log.info(line)
    for line in released_gpus(models):
        pulumi.log.warn(line)
    control_plane = ControlPlane(
        "mesh",
        ControlPlaneArgs(
            mesh, settings.charts, settings.tracing.sampling if settings.tracing else 0
        ),
    )
    gateway = _gateway(settings, mesh, control_plane, models)
    flagger = _flagger(settings, mesh, control_plane, models)
    ai_gateway = _ai_gateway(settings, mesh, control_plane, models)
    namespaces = {
        name: _namespace(settings, mesh, control_plane, name, models)
        for name in dict.fromkeys(model.namespace for model in models)
    }
    servers = {
        model.name: ModelServer(
            model.name,
            ModelServerArgs(
                model,
                mesh,
                namespaces[model.namespace],
                gateway,
                settings.gateway.host if settings.gateway else None,
                flagger,
                settings.charts,
                ai_gateway,
            ),
        )
        for model in models
    }
    return Platform(control_plane, gateway, flagger, ai_gateway, namespaces, servers)


def _mesh(settings: StackSettings) -> Mesh:
    return choose(
        settings.mesh,
        settings.tracing.endpoint if settings.tracing else None,
        any(model.traffic.picker for model in settings.models.values()),
        _counts_tokens(settings),
    )


def _counts_tokens(settings: StackSettings) -> bool:
    return any(model.traffic.token_budget for model in settings.models.values())


def check_surroundings(settings: StackSettings, mesh: Mesh) -> None:
    """The cluster's version against the mesh's range, charts against their folder, and the
    models' namespaces against those that exist for something else.

    Raises ConfigurationError.
    """
    problems = [
        *_cluster_problems(settings, mesh),
        *_chart_problems(settings),
        *_namespace_problems(settings, mesh),
    ]
    if problems:
        raise ConfigurationError(problems)


def _cluster_problems(settings: StackSettings, mesh: Mesh) -> Iterator[Problem]:
    version = settings.cluster.version
    try:
        if version is None:
            provider = pulumi.Config("kubernetes")
            version = running_version(provider.get("kubeconfig"), provider.get("context"))
    except ClusterUnreachableError as error:
        yield Problem(("cluster",), str(error))
    if version and (reason := mesh.kubernetes_problem(version)):
        yield Problem(("mesh", "version"), reason)


def _chart_problems(settings: StackSettings) -> Iterator[Problem]:
    names = tuple(dict.fromkeys(chart.name for chart in charts(settings)))
    if settings.charts and (reason := source_problem(settings.charts, names)):
        yield Problem(("charts",), reason)


def charts(settings: StackSettings) -> tuple[Chart, ...]:
    """Every chart that the stack installs."""
    mesh, models = _mesh(settings), resolved_models(settings)
    parts = [*mesh.install()]
    main = settings.gateway.host if settings.gateway else None
    if main:
        at = hosts(settings.models, main)
        parts += mesh.gateway(Ingress(at.all, "", 0, model_hosts=at.by_model))
    for model in models:
        parts += mesh.route(model, main)
    if any(model.progressive for model in settings.models.values()):
        parts.append(flagger_chart(settings.flagger, settings.prometheus_url, mesh))
    if _counts_tokens(settings):
        parts += ai_gateway_charts(settings.ai_gateway)
    return tuple(part for part in parts if isinstance(part, Chart))


def _namespace_problems(settings: StackSettings, mesh: Mesh) -> Iterator[Problem]:
    of_others = {mesh.system_namespace, mesh.gateway_namespace}
    of_others |= {FLAGGER_NAMESPACE, AI_GATEWAY_NAMESPACE}
    reserved = of_others | {*KUBERNETES_NAMESPACES}
    for name, model in settings.models.items():
        if model.namespace in reserved:
            yield Problem(
                ("models", name, "namespace"),
                f"{model.namespace} is there for something else, and this stack makes and deletes "
                "the namespaces of its models; use one of their own, for example ai-inference",
            )


def _flagger(
    settings: StackSettings, mesh: Mesh, control_plane: ControlPlane, models: list[Model]
) -> Flagger | None:
    """Only where a model is released step by step."""
    if not any(model.settings.progressive for model in models):
        return None
    return Flagger(
        "flagger",
        FlaggerArgs(
            settings.flagger, settings.prometheus_url, mesh, control_plane, settings.charts
        ),
    )


def _ai_gateway(
    settings: StackSettings, mesh: Mesh, control_plane: ControlPlane, models: list[Model]
) -> AiGateway | None:
    """Only where callers of a model have a budget of tokens."""
    if not _counts_tokens(settings):
        return None
    grace = max(model.grace_seconds for model in models)
    return AiGateway(
        "ai-gateway",
        AiGatewayArgs(settings.ai_gateway, mesh, control_plane, grace, settings.charts),
    )


def _gateway(
    settings: StackSettings, mesh: Mesh, control_plane: ControlPlane, models: list[Model]
) -> Gateway | None:
    if settings.gateway is None:
        return None
    return Gateway(
        "gateway",
        GatewayArgs(
            settings.gateway,
            mesh,
            control_plane,
            hosts(settings.models, settings.gateway.host),
            max((model.grace_seconds for model in models), default=30),
            settings.charts,
            settings.tracing.sampling if settings.tracing else 0,
        ),
    )


def _namespace(
    settings: StackSettings,
    mesh: Mesh,
    control_plane: ControlPlane,
    name: str,
    models: list[Model],
) -> InjectedNamespace:
    own = [model for model in models if model.namespace == name]
    return InjectedNamespace(
        name,
        InjectedNamespaceArgs(
            mesh,
            control_plane,
            settings.adoption_of(name),
            max(model.grace_seconds for model in own),
            any(isinstance(model.settings.cache, HostPathCache) for model in own),
            any(model.settings.traffic.picker for model in own),
        ),
    )
