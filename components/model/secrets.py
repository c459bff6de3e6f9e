"""A model's secrets: where its container reads them, and the Secrets made for those given here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import SecretStr

from components.kubernetes import Manifest
from components.model.model import Model
from components.secret import SecretReference, SecretValue, secret_manifest


@dataclass(frozen=True)
class ModelSecrets:
    """Environment variables by the Secret key they come from, and the Secrets to make."""

    environment: dict[str, SecretReference]
    manifests: tuple[Manifest, ...]


def model_secrets(model: Model, opts: pulumi.ResourceOptions) -> ModelSecrets:
    """The Hugging Face token and the API key, as far as the settings have them.

    `opts` are of the random key, a resource of its own, where none is given.
    """
    environment, manifests = {}, []
    for variable, suffix, value in _wanted(model, opts):
        if isinstance(value, SecretReference):
            environment[variable] = value
            continue
        name = f"{model.name_label}-{suffix}"
        environment[variable] = SecretReference(secret=name, key=variable)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        manifests.append(secret_manifest(name, model.namespace, {variable: plain}))
    return ModelSecrets(environment, tuple(manifests))


def _wanted(
    model: Model, opts: pulumi.ResourceOptions
) -> Iterator[tuple[str, str, SecretValue | pulumi.Output[Any]]]:
    settings = model.settings
    if settings.hugging_face_token is not None:
        yield "HF_TOKEN", "hugging-face", settings.hugging_face_token
    if settings.api_key is not None:
        variable = settings.runtime.api_key_variable()
        yield variable, "api-key", settings.api_key.value or _random_key(model, opts)


def _random_key(model: Model, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    # Only for stacks that want a key made: the others need no random provider.
    import pulumi_random

    key = pulumi_random.RandomPassword(f"{model.name}-api-key", length=40, special=False, opts=opts)
    return key.result
