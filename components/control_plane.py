"""A mesh's control plane: its namespace and its Helm releases, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.chart import ChartSource, install
from components.kubernetes import KubernetesObject, Manifest, manifest, recommended_labels
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
        mesh = args.mesh.prepare(pulumi.ResourceOptions(parent=self))
        namespace = _namespace(name, mesh)
        self.ready = install([namespace, *mesh.install()], args.charts, self, [])
        for content in mesh.observe(args.traces_sampling_percent):
            KubernetesObject(content, pulumi.ResourceOptions(parent=self, depends_on=self.ready))
        self.register_outputs({})


def _namespace(instance: str, mesh: Mesh) -> Manifest:
    own = mesh.system_namespace_metadata()
    labels = recommended_labels(instance, "service-mesh") | own.labels
    return manifest(
        "v1", "Namespace", mesh.system_namespace, labels=labels, annotations=own.annotations
    )
