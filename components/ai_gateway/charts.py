"""The charts of the AI gateway: Envoy Gateway, and Envoy AI Gateway, which extends it."""

from __future__ import annotations

from components.ai_gateway import redis
from components.ai_gateway.names import NAMESPACE
from components.ai_gateway.settings import AiGatewaySettings
from components.chart import Chart, Values, merge_values

REPOSITORY = "oci://docker.io/envoyproxy"
CONTROLLER = "ai-gateway-controller"


def charts(settings: AiGatewaySettings) -> tuple[Chart, ...]:
    """In order: Envoy Gateway's chart has definitions that Envoy AI Gateway's controller reads."""
    version = f"v{settings.version}"
    return (
        Chart(
            "gateway-helm",
            "envoy-gateway",
            NAMESPACE,
            f"v{settings.envoy_gateway}",
            REPOSITORY,
            merge_values(_envoy_gateway(), settings.values.envoy_gateway),
        ),
        Chart("ai-gateway-crds-helm", "ai-gateway-crds", NAMESPACE, version, REPOSITORY),
        Chart(
            "ai-gateway-helm",
            "ai-gateway",
            NAMESPACE,
            version,
            REPOSITORY,
            merge_values(_ai_gateway(), settings.values.ai_gateway),
        ),
    )


def _envoy_gateway() -> Values:
    """As Envoy AI Gateway asks of it, and with a Redis for its rate limit service.

    https://github.com/envoyproxy/ai-gateway/blob/v1.0.0/manifests/envoy-gateway-values.yaml
    """
    everything = {kind: {"includeAll": True} for kind in ("listener", "route", "cluster", "secret")}
    extension = {
        "hooks": {
            "xdsTranslator": {
                "translation": everything,
                "post": ["Translation", "Cluster", "Route"],
            }
        },
        "service": {
            "fqdn": {"hostname": f"{CONTROLLER}.{NAMESPACE}.svc.cluster.local", "port": 1063}
        },
    }
    url = f"{redis.NAME}.{NAMESPACE}.svc.cluster.local:{redis.PORT}"
    return {
        # Helm leaves the Gateway API's definitions as they are there: the mesh's.
        "crds": {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}},
        "config": {
            "envoyGateway": {
                "extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True},
                "extensionManager": extension,
                "rateLimit": {"backend": {"type": "Redis", "redis": {"url": url}}},
            }
        },
    }


def _ai_gateway() -> Values:
    hardened = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
    }
    return {
        "controller": {
            "securityContext": hardened,
            "podSecurityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        },
        "envoyGateway": {"namespace": NAMESPACE},
    }
