"""What a user writes about the gateway, which others bring: Linkerd has none."""

from __future__ import annotations

from typing import Literal

from components.settings import Settings
from components.types import Name, Principal, Release


class EnvoyGatewayClass(Settings):
    """Envoy Gateway, with its proxies in the mesh."""

    kind: Literal["envoy-gateway"] = "envoy-gateway"
    version: Release = "1.9.1"
    """Version of the chart."""
    install: bool = True
    """Install it by its chart. Off, where a controller for all of a cluster is there already."""
    name: Name = "inference"
    """Name of the GatewayClass, which the stack makes."""


class GatewayClass(Settings):
    """Any other implementation of the Gateway API, installed and meshed by others."""

    kind: Literal["class"]
    name: Name
    """Name of the GatewayClass that exists."""
    principal: Principal
    """Identity of its proxies, for example cluster.local/ns/nginx-gateway/sa/nginx-gateway: they
    have to be in the mesh, and are let in to the models by it. The implementation has to send to
    the Service's address rather than to pods, so that Linkerd balances and routes."""
