"""What kwok plays: its own stages for nodes and pods, ours beside them, and istiod's gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ISTIOD_SERVING = "simcluster.dev/istiod"
"""Annotation that the istiod runner puts on an istiod pod once the process serves."""

OWN = Path(__file__).with_name("stages.yaml")
OF_KWOK = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


def stages(kwok: Path) -> list[dict[str, Any]]:
    """Every Stage; `kwok` is the folder with kwok's own."""
    own: list[dict[str, Any]] = list(yaml.safe_load_all(OWN.read_text()))
    return [gated(yaml.safe_load((kwok / path).read_text())) for path in OF_KWOK] + own


def gated(stage: dict[str, Any]) -> dict[str, Any]:
    """Let an istiod pod become Ready only once its process serves, so that waiters may rely on it.

    Anything that waits for the release, such as `helm --wait`, so waits for admission to work.
    """
    if stage["metadata"]["name"] == "pod-ready":
        serving = f'.metadata.annotations["{ISTIOD_SERVING}"] == "true"'
        stage["spec"]["selector"]["matchExpressions"].append(
            {
                "key": f'.metadata.labels.app != "istiod" or {serving}',
                "operator": "In",
                "values": ["true"],
            }
        )
    return stage
