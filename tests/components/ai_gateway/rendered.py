"""What the charts of the AI gateway make of the program's values."""

from __future__ import annotations

import subprocess

import yaml

from components.ai_gateway.charts import charts
from components.ai_gateway.settings import AiGatewaySettings
from components.kubernetes import Manifest
from simcluster.cluster import SimulatedCluster

GROUPS = ("gateway.envoyproxy.io", "aigateway.envoyproxy.io")


def rendered(cluster: SimulatedCluster) -> dict[str, list[Manifest]]:
    """The objects of each chart, by its name."""
    found = {}
    for chart in charts(AiGatewaySettings()):
        folder = cluster.charts / chart.name
        options = ("--namespace", chart.namespace, "--include-crds", "--values", "-")
        made = subprocess.run(
            [cluster.tools / "helm", "template", chart.release, folder, *options],
            input=yaml.safe_dump(chart.values),
            capture_output=True,
            text=True,
            check=True,
        )
        found[chart.name] = [item for item in yaml.safe_load_all(made.stdout) if item]
    return found


def definitions(manifests: dict[str, list[Manifest]]) -> list[Manifest]:
    """Those of Envoy Gateway and Envoy AI Gateway; the Gateway API's are the mesh's."""
    return [
        item
        for items in manifests.values()
        for item in items
        if item["kind"] == "CustomResourceDefinition" and item["spec"]["group"] in GROUPS
    ]
