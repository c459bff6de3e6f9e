"""Admission webhooks that a pod would serve: no program runs in the pods of a simulation.

Left as they are, they would hold up every pod until they time out, and some refuse it then.
"""

from __future__ import annotations

from typing import Any

from simcluster.api import Api

PATHS = tuple(
    f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
    for kind in ("mutating", "validating")
)
NEVER = {"name": "served.simcluster.dev", "expression": "false"}
"""The condition of a webhook that is not called."""


def silence(api: Api) -> list[str]:
    """Let the API server call no webhook of a Service; the configurations that this changed."""
    changed = []
    for path in PATHS:
        for configuration in api.list(path):
            if webhooks := silenced(configuration):
                name = configuration["metadata"]["name"]
                api.merge(f"{path}/{name}", {"webhooks": webhooks})
                changed.append(name)
    return changed


def silenced(configuration: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Its webhooks with those of a Service silenced, or None where there is nothing to do."""
    webhooks = configuration.get("webhooks", [])
    if not any(map(_is_called, webhooks)):
        return None
    return [
        webhook | {"matchConditions": [*webhook.get("matchConditions", []), NEVER]}
        if _is_called(webhook)
        else webhook
        for webhook in webhooks
    ]


def _is_called(webhook: dict[str, Any]) -> bool:
    return "service" in webhook["clientConfig"] and NEVER not in webhook.get("matchConditions", [])
