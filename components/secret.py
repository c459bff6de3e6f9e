"""Secret values: given as Pulumi secrets, or as the name of a Secret that exists already."""

from __future__ import annotations

from typing import Annotated, Any

import pulumi
from pydantic import Discriminator, SecretStr, StringConstraints, Tag, WithJsonSchema

from components.kubernetes import Manifest, manifest
from components.settings import Settings
from components.types import ObjectName


class SecretReference(Settings):
    """A key of a Secret that something else keeps, such as External Secrets.

    It has to be in the namespace of the model that uses it.
    """

    secret: ObjectName
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    """Key inside it."""


def _kind(value: Any) -> str:
    return "reference" if isinstance(value, dict | SecretReference) else "text"


_CIPHERTEXT = {
    "title": "PulumiSecret",
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "writeOnly": True,
}
"""What `pulumi config set --secret` leaves in a stack file, and the program reads as text."""

SecretText = Annotated[SecretStr, WithJsonSchema(_CIPHERTEXT)]
"""A Pulumi secret (`pulumi config set --secret --path ...`)."""

SecretValue = Annotated[
    Annotated[SecretText, Tag("text")] | Annotated[SecretReference, Tag("reference")],
    Discriminator(_kind),
]
"""Either a Pulumi secret (`pulumi config set --secret --path ...`) or `{secret: name, key: key}`.

A secret in plain text is refused by the loader.
"""


def secret_manifest(name: str, namespace: str, values: dict[str, Any]) -> Manifest:
    """An Opaque Secret whose values stay secret in state, logs and previews."""
    sealed = {key: pulumi.Output.secret(value) for key, value in values.items()}
    return manifest("v1", "Secret", name, namespace, type="Opaque", stringData=sealed)


def environment_from(name: str, source: SecretReference) -> dict[str, Any]:
    """A container environment entry read from a Secret."""
    return {
        "name": name,
        "valueFrom": {"secretKeyRef": {"name": source.secret, "key": source.key}},
    }
