"""The program: load the stack's settings, build its platform, export what a user asks for."""

import pulumi

from stacks.errors import ConfigurationError
from stacks.load import from_config
from stacks.platform import build

try:
    settings = from_config()
    platform = build(settings)
except ConfigurationError as error:
    raise pulumi.RunError(str(error)) from None

pulumi.export("models", {name: server.url for name, server in platform.models.items()})
if settings.gateway:
    pulumi.export("gateway", f"https://{settings.gateway.host}")
