"""Flagger, which releases models step by step: its namespace and its Helm release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import Field

from components.chart import Chart, ChartSource, Part, install, merge_values
from components.control_plane import ControlPlane
from components.kubernetes import manifest, recommended_labels
from components.mesh.protocol import Mesh
from components.model.version import INSTANCE_LABEL
from components.settings import Settings
from components.types import Release

NAMESPACE = "flagger-system"
REPOSITORY = "https://flagger.app"


class FlaggerSettings(Settings):
    """The controller of progressive delivery, installed when a model asks for it."""

    version: Release = "1.44.0"
    """Version of the chart."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Helm values of your own, merged over those that the program sets."""


@dataclass(frozen=True)
class FlaggerArgs:
    settings: FlaggerSettings
    prometheus: str
    """URL of the Prometheus that Flagger asks by default."""
    mesh: Mesh
    control_plane: ControlPlane
    charts: ChartSource | None = None


def chart(settings: FlaggerSettings, prometheus: str, mesh: Mesh) -> Chart:
    values = {
        "metricsServer": prometheus,
        # The one label of a Deployment's selector that is different in the copy that serves.
        "selectorLabels": INSTANCE_LABEL,
        # The copy is found by the same labels.
        "includeLabelPrefix": "app",
        # A Secret is shared by both versions: a rotated key is no release, and goes to all pods.
        "configTracking": {"enabled": False},
    }
    merged = merge_values(values, mesh.deliverer().values, settings.values)
    return Chart("flagger", "flagger", NAMESPACE, settings.version, REPOSITORY, merged)


class Flagger(pulumi.ComponentResource):
    """The installed controller; what is of its kinds depends on `ready`."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: FlaggerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:flagger:Flagger", name, None, opts)
        labels = recommended_labels(name, "progressive-delivery")
        of_mesh = args.mesh.deliverer().namespace
        namespace = manifest(
            "v1",
            "Namespace",
            NAMESPACE,
            labels=labels | of_mesh.labels,
            annotations=of_mesh.annotations or None,
        )
        parts: list[Part] = [namespace, chart(args.settings, args.prometheus, args.mesh)]
        # After the control plane: a mesh may take its pod in.
        self.ready = install(parts, args.charts, self, args.control_plane.ready)
        self.register_outputs({})
