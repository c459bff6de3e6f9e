"""A model behind the AI gateway: its route there, and the budget of each of its callers."""

from __future__ import annotations

from typing import Any

from components.ai_gateway import gateway
from components.ai_gateway.names import MODEL_HEADER, NAME, NAMESPACE
from components.kubernetes import Manifest, manifest
from components.limits import TokenBudgetSettings
from components.mesh import gateway_api
from components.model.model import Model

GROUP = "aigateway.envoyproxy.io"
VERSION = f"{GROUP}/v1beta1"

COST = "llm_total_token"
"""Under which the AI gateway keeps what `usage` of an answer says, prompt and completion."""


def objects(model: Model) -> tuple[Manifest, ...]:
    """In the model's namespace, named like its Service; none without a budget."""
    budget = model.settings.traffic.token_budget
    if budget is None or model.settings.route is None:
        return ()
    backend = {"group": gateway.GROUP, "kind": "Backend", "name": model.service}
    endpoint = {"fqdn": {"hostname": model.service_host, "port": model.port}}
    target = {"group": gateway_api.GROUP, "kind": "HTTPRoute", "name": model.service}
    limit = {"type": "Global", "global": {"rules": _rules(budget)}}
    specs = (
        (gateway.VERSION, "Backend", {"endpoints": [endpoint]}),
        (VERSION, "AIServiceBackend", {"schema": {"name": "OpenAI"}, "backendRef": backend}),
        (VERSION, "AIGatewayRoute", _route(model)),
        # The AI gateway makes an HTTPRoute of the same name.
        (gateway.VERSION, "BackendTrafficPolicy", {"targetRefs": [target], "rateLimit": limit}),
    )
    return tuple(
        manifest(version, kind, model.service, model.namespace, labels=model.labels, spec=spec)
        for version, kind, spec in specs
    )


def _route(model: Model) -> dict[str, Any]:
    """By the host that the mesh's gateway writes, and for any model that a body names: the server
    itself refuses those that it does not have. What has no model is not understood, and so not
    counted: it is answered 404."""
    parent = {"group": gateway_api.GROUP, "kind": "Gateway", "name": NAME, "namespace": NAMESPACE}
    understood = {"type": "RegularExpression", "name": MODEL_HEADER, "value": ".+"}
    rule = {
        "matches": [{"headers": [understood]}],
        "backendRefs": [{"name": model.service}],
        # Without a word the AI gateway ends a response after 60 seconds.
        "timeouts": {"request": model.settings.traffic.timeouts.response or "0s"},
    }
    return {
        "parentRefs": [parent],
        "hostnames": [model.service_host],
        "llmRequestCosts": [{"metadataKey": COST, "type": "TotalToken"}],
        "rules": [rule],
    }


def _rules(budget: TokenBudgetSettings) -> list[dict[str, Any]]:
    """One for each value of the header, and one for all requests without it, which the first would
    let pass."""
    limit = {"requests": budget.tokens, "unit": budget.per.capitalize()}
    used = {"namespace": "io.envoy.ai_gateway", "key": COST}
    # The request itself costs nothing; its answer does, when it has ended.
    cost = {
        "request": {"from": "Number", "number": 0},
        "response": {"from": "Metadata", "metadata": used},
    }
    each = {"name": budget.header, "type": "Distinct"}
    missing = {
        "name": budget.header,
        "type": "RegularExpression",
        "value": ".*",
        "invert": True,
    }
    return [
        {"clientSelectors": [{"headers": [header]}], "limit": limit, "cost": cost}
        for header in (each, missing)
    ]
