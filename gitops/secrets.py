"""What becomes of secret values in a rendered repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops.errors import GitopsError
from gitops.manifests import SECRET_DATA, KubernetesObject, Wave


@dataclass(frozen=True)
class Secrets:
    """`refuse` (the default), `include` in plain text, or `external:<ClusterSecretStore>`."""

    store: str | None = None
    include: bool = False


REFUSE = Secrets()


def parse(text: str) -> Secrets:
    """Read the choice as it is written on a command line."""
    if text in ("", "refuse"):
        return REFUSE
    if text == "include":
        return Secrets(include=True)
    way, _, store = text.partition(":")
    if way == "external" and store:
        return Secrets(store=store)
    raise GitopsError(
        f"SECRETS={text}: expected external:<ClusterSecretStore name>, for example "
        "external:vault, or include"
    )


def found(waves: tuple[Wave, ...], secrets: Secrets) -> list[str]:
    """Each secret value that would stand in a rendered file, by object and field."""
    found = []
    for wave in waves:
        for chart in wave.charts:
            found += [f"{chart}: {'.'.join(keys)}" for keys in chart.secrets]
        for item in wave.objects:
            data = secret_keys(item)
            if data and not secrets.store:
                found.append(f"{item.key}: {', '.join(data)}")
            found += [
                f"{item.key}: {'.'.join(keys)}"
                for keys in item.secrets
                if not (data and keys[0] in SECRET_DATA)
            ]
    return found


def refusal(found: list[str]) -> GitopsError:
    """Says what was found and how to go on."""
    return GitopsError(
        "these values are secret and would stand in the rendered files:\n"
        + "\n".join(f"  {place}" for place in found)
        + "\nSECRETS=external:<ClusterSecretStore name> writes each Secret as an ExternalSecret of "
        "the External Secrets operator; SECRETS=include writes the values in plain text. A secret "
        "in a chart's values or in another kind of object can only be included: give it as the "
        "name of a Secret instead."
    )


def secret_keys(item: KubernetesObject) -> list[str]:
    """The keys of a Secret's data; none for any other object."""
    if item.content["kind"] != "Secret" or item.key.group:
        return []
    return sorted({key for field in SECRET_DATA for key in item.content.get(field) or {}})


def external_secret(item: KubernetesObject, store: str) -> dict[str, Any]:
    """The ExternalSecret that makes this Secret from `<namespace>/<name>` in the store.

    https://external-secrets.io/latest/api/externalsecret/
    """
    namespace, name = item.key.namespace, item.key.name
    metadata = item.content["metadata"]
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    template = {"type": item.content.get("type") or "Opaque"} | ({"metadata": kept} if kept else {})
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace} | kept,
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name, "creationPolicy": "Owner", "template": template},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"{namespace}/{name}", "property": key}}
                for key in secret_keys(item)
            ],
        },
    }
