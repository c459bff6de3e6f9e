"""From what a stack file says to settings, or to one message with everything wrong in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.config import CONFIG, get_config, get_config_env, is_config_secret
from pydantic import SecretStr, ValidationError

from components.settings import Problem, Settings
from stacks.errors import ConfigurationError, field_problems
from stacks.mesh import least
from stacks.schema import keys_at
from stacks.settings import PROJECT, StackSettings


def from_config() -> StackSettings:
    """The settings of the running stack. Raises ConfigurationError."""
    prefix = f"{PROJECT}:"
    keys = sorted(key for key in get_config_env() | CONFIG.get() if key.startswith(prefix))
    given = {key.removeprefix(prefix): _value(get_config(key)) for key in keys}
    secret = frozenset(key.removeprefix(prefix) for key in keys if is_config_secret(key))
    return from_mapping(given, secret)


def from_mapping(
    given: Mapping[str, Any], secret_keys: frozenset[str] | None = None
) -> StackSettings:
    """Validate; `secret_keys` are the top-level keys that hold Pulumi secrets, None for any.

    Field errors come first, one a field. Rules across fields are checked on all that is sound by
    itself, so that both kinds are reported in one go. Raises ConfigurationError.
    """
    problems: list[Problem] = []
    try:
        settings = _validate(given)
    except ValidationError as error:
        problems = field_problems(error, given)
        settings = _sound_part(given, problems)
    problems += settings.all_problems()
    if secret_keys is not None:
        problems += _plain_secrets(settings, secret_keys)
    if problems:
        raise ConfigurationError(problems)
    return settings


def _validate(given: Mapping[str, Any]) -> StackSettings:
    return StackSettings.model_validate(given, by_alias=True, by_name=False)


def _value(text: str) -> Any:
    """Pulumi hands structured values and null out as JSON, and other scalars as they are."""
    structured = text == "null" or text.lstrip().startswith(("{", "["))
    return json.loads(text) if structured else text


def _sound_part(given: Mapping[str, Any], problems: list[Problem]) -> StackSettings:
    """The settings without the sections and models that have field errors."""
    broken = {path[: 2 if path[:1] == ("models",) else 1] for path, _ in problems}
    sound = {key: value for key, value in given.items() if (key,) not in broken}
    if isinstance(sound.get("models"), Mapping):
        sound["models"] = {
            name: _without_broken_mirror(model, broken)
            for name, model in sound["models"].items()
            if ("models", str(name)) not in broken
        }
    # A mesh is required; where it is broken itself, the rest can still be checked.
    return _validate({"mesh": least(given.get("mesh"))} | sound)


def _without_broken_mirror(
    model: Mapping[str, Any], broken: set[tuple[str, ...]]
) -> Mapping[str, Any]:
    traffic = model.get("traffic", {})
    target = (traffic.get("mirror") or {}).get("model")
    if ("models", target) in broken:
        return {**model, "traffic": {**traffic, "mirror": None}}
    return model


def _plain_secrets(settings: StackSettings, secret_keys: frozenset[str]) -> list[Problem]:
    """Secrets that stand in the stack file as plain text."""
    return [
        Problem(
            path,
            f"a secret in plain text; set it with `pulumi config set --secret --path "
            f"'{PROJECT}:{_config_path(path)}'`{_or_reference(path)}",
        )
        for path in _secret_paths((), settings)
        if path[0] not in secret_keys
    ]


def _or_reference(path: tuple[str, ...]) -> str:
    """The other way to give a secret, where the setting takes it."""
    if "secret" not in keys_at(path):
        return ""
    return ", or name a Secret that exists: {secret: <name>, key: <key>}"


def _config_path(path: tuple[str, ...]) -> str:
    """As `pulumi config set --path` reads it: a key with dots in brackets."""
    steps = [f'["{part}"]' if "." in part else f".{part}" for part in path]
    return "".join(steps).lstrip(".")


def _secret_paths(path: tuple[str, ...], value: object) -> list[tuple[str, ...]]:
    if isinstance(value, SecretStr):
        return [path]
    if isinstance(value, Settings):
        inner = dict(value.entries())
    elif isinstance(value, dict):
        inner = value
    else:
        return []
    return [found for key, item in inner.items() for found in _secret_paths((*path, key), item)]
