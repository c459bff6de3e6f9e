"""The Gateway API's definitions, made from its Go module at the version that istiod is built with.

`python -m tests.components.mesh.definitions` writes them where the meshes read them.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from components.mesh.gateway_api import DEFINITIONS
from simcluster.toolchain import Source, source_dir

MODULE = Source("gateway-api", ("istio", "sigs.k8s.io/gateway-api"), "config/crd/standard")


def text() -> str:
    """One line an object."""
    files = sorted(source_dir(MODULE).glob("gateway.networking.k8s.io_*.yaml"))
    objects = (each for file in files for each in yaml.safe_load_all(file.read_text()) if each)
    lines = (json.dumps(without_descriptions(each), separators=(",", ":")) for each in objects)
    return "".join(f"{line}\n" for line in lines)


def without_descriptions(value: Any, fields: bool = False) -> Any:
    """They are three quarters of the text; `fields` says that the keys are names of fields."""
    if isinstance(value, dict):
        return {
            key: without_descriptions(inner, key == "properties")
            for key, inner in value.items()
            if fields or key != "description"
        }
    if isinstance(value, list):
        return [without_descriptions(inner) for inner in value]
    return value


if __name__ == "__main__":
    DEFINITIONS.write_text(text())
