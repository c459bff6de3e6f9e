"""The Istio charts of the pinned module, made what a release ships, and told where istiod is.

The module's charts carry placeholder versions and images, which Istio's release builder fills in.
The simulated istiod is a local process, so the webhooks reach it by URL: written into the charts'
default values, it needs no value of the stack that is deployed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from simcluster import gomod
from simcluster.reporting import SimulationError
from simcluster.toolchain import copy_tree

HUB = "docker.io/istio"
DEFAULTS = "_internal_defaults_do_not_set"
IMAGES = {"global.hub": HUB, "global.tag": "{version}"}
VALIDATION = {"base.validationURL": "https://localhost:{port}/validate"}
INJECTION = {"istiodRemote.injectionURL": "https://localhost:{port}/inject"}

CHARTS: dict[str, tuple[str, dict[str, str]]] = {
    "base": ("base", VALIDATION),
    "istiod": ("istio-control/istio-discovery", IMAGES | VALIDATION | INJECTION),
    "gateway": ("gateway", {}),
    "cni": ("istio-cni", IMAGES),
    "ztunnel": ("ztunnel", {"hub": HUB, "tag": "{version}"}),
}
"""Chart name: its folder in the module, and the default values to set."""


def istio_version() -> str:
    """The Istio release that the module is, without a leading v."""
    return gomod.version("istio", "istio.io/api").removeprefix("v")


def prepare(source: Path, target: Path, webhook_port: int) -> None:
    """Write every chart of `CHARTS` under `target`, for an istiod on `webhook_port`."""
    version = istio_version()
    for name, (folder, settings) in CHARTS.items():
        chart = target / name
        copy_tree(source / folder, chart)
        _edit(chart / "Chart.yaml", {"version": version, "appVersion": version})
        values = {
            f"{DEFAULTS}.{path}": value.format(version=version, port=webhook_port)
            for path, value in settings.items()
        }
        _edit(chart / "values.yaml", values)


def _edit(path: Path, settings: dict[str, str]) -> None:
    content = yaml.safe_load(path.read_text())
    for dotted, value in settings.items():
        *parents, leaf = dotted.split(".")
        node: Any = content
        for key in parents:
            node = node.get(key) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise SimulationError(f"chart file {path} has no {'.'.join(parents)} to set {leaf} in")
        node[leaf] = value
    path.write_text(yaml.safe_dump(content, sort_keys=False))
