"""What a user writes about the AI gateway."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.settings import Settings
from components.types import Count, Image, Release


class AiGatewayValues(Settings):
    """Helm values of your own, merged over those that the program sets."""

    envoy_gateway: dict[str, Any] = Field(default_factory=dict)
    """Of gateway-helm."""
    ai_gateway: dict[str, Any] = Field(default_factory=dict)
    """Of ai-gateway-helm."""


class AiGatewaySettings(Settings):
    """Envoy AI Gateway with Envoy Gateway and a Redis, installed when a model has a tokenBudget."""

    version: Release = "1.0.0"
    """Of Envoy AI Gateway's charts."""
    envoy_gateway: Release = "1.9.1"
    """Of Envoy Gateway's chart, 1.8.1 or later for Envoy AI Gateway 1.0
    (https://aigateway.envoyproxy.io/docs/compatibility)."""
    replicas: Count = 2
    """Of the proxies that requests pass; they count together."""
    redis: Image = "docker.io/library/redis:8.2.4-alpine3.22"
    """Keeps what callers have used, in memory alone: a restart forgives it."""
    values: AiGatewayValues = AiGatewayValues()
