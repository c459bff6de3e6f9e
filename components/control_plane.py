"""A mesh's control plane: its namespace and its Helm releases, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.chart import ChartSource, install
from components.kubernetes import KubernetesObject, manifest, recommended_labels
from components.mesh.protocol import Mesh


@dataclass(frozen=True)
class ControlPlaneArgs:
    mesh: Mesh
    charts: ChartSource | None = None
    traces_sampling_percent: float = 1.0


class ControlPlane(pulumi.ComponentResource):
    """The installed mesh. What needs the mesh's webhooks depends on `ready`."""

    ready: list[pulumi.Resource]
    """What ends the installation: the control plane serves once it is there."""

    def __init__(
        self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:control_plane:ControlPlane", name, None, opts)
        system = args.mesh.system_namespace
        labels = recommended_labels(name, "service-mesh")
        namespace = manifest("v1", "Namespace", system, labels=labels)
        self.ready = install([namespace, *args.mesh.install()], args.charts, self, [])
        for content in args.mesh.observe(args.traces_sampling_percent):
            KubernetesObject(content, pulumi.ResourceOptions(parent=self, depends_on=self.ready))
        self.register_outputs({})
