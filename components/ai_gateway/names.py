"""Where the AI gateway is, and what its proxies are called."""

NAMESPACE = "ai-gateway"

NAME = "ai-gateway"
"""Of the Gateway, and of its proxies' Service and service account."""

PORT = 8080

HOST = f"{NAME}.{NAMESPACE}.svc.cluster.local"

PROXY_LABELS = {
    "gateway.envoyproxy.io/owning-gateway-name": NAME,
    "gateway.envoyproxy.io/owning-gateway-namespace": NAMESPACE,
}
"""What Envoy Gateway labels the proxies of a Gateway with."""

CONTROL_PORTS = (8081, 18000, 18001, 18002)
"""What the proxies call besides models, by TLS of Envoy Gateway's own: the rate limit service and
the control plane."""

COUNTED_METHODS = ("POST", "PUT", "PATCH", "DELETE")
"""Requests that may generate. No server generates for the others, such as the list of models,
which the AI gateway would answer with models of its own."""

FREE_METHODS = ("GET", "HEAD", "OPTIONS")

MODEL_HEADER = "x-ai-eg-model"
"""What the AI gateway writes the model of a request's body into, where it understands the body."""
