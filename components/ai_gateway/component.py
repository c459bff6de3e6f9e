"""The AI gateway: its namespace, charts, Redis and proxies."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.ai_gateway import gateway, redis
from components.ai_gateway.charts import charts
from components.ai_gateway.names import NAMESPACE
from components.ai_gateway.settings import AiGatewaySettings
from components.chart import ChartSource, Part, install
from components.control_plane import ControlPlane
from components.kubernetes import manifest, recommended_labels
from components.mesh.protocol import Mesh


@dataclass(frozen=True)
class AiGatewayArgs:
    settings: AiGatewaySettings
    mesh: Mesh
    control_plane: ControlPlane
    grace_seconds: int
    """Time for running responses to end when a proxy stops."""
    charts: ChartSource | None = None


def parts(settings: AiGatewaySettings, mesh: Mesh, grace_seconds: int) -> tuple[Part, ...]:
    """What is installed, in order."""
    labels = recommended_labels(NAMESPACE, "token-budget")
    metering = mesh.meter()
    return (
        manifest("v1", "Namespace", NAMESPACE, labels=labels),
        (*redis.objects(settings.redis), *metering.policies),
        *charts(settings),
        gateway.objects(settings.replicas, grace_seconds, metering.proxies),
    )


class AiGateway(pulumi.ComponentResource):
    """The running AI gateway; what is of its kinds depends on `ready`."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: AiGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:ai_gateway:AiGateway", name, None, opts)
        made = parts(args.settings, args.mesh, args.grace_seconds)
        # After the control plane, which takes its proxies in.
        self.ready = install(made, args.charts, self, args.control_plane.ready)
        self.register_outputs({})
