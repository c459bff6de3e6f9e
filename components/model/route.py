"""Where the gateway offers a model."""

from __future__ import annotations

from components.settings import Settings
from components.types import Hostname, PathPattern, UrlPath


class RouteSettings(Settings):
    """Where the gateway offers the model."""

    host: Hostname | None = None
    """Default: the gateway's host."""
    prefix: UrlPath = "/"
    """Path below which the model answers; the rest is passed on."""
    paths: tuple[PathPattern, ...] | None = None
    """Paths that may be called through the gateway. Default: what the runtime means for the
    public, for vLLM /v1/*; others, such as /metrics, are for the inside. Empty for all."""
    by_model: bool = False
    """Take the requests whose JSON body has this model's name as `model`, as OpenAI's clients send
    it, so that many models are behind one host and path. A router reads each request's body."""
