"""What Istio in ambient mode cannot do."""

from components.mesh.features import Lacks

_NO_RETRY = (
    "routes of the Gateway API's standard channel say nothing of retries, so that in ambient mode "
    "all models have the same: 2 further tries, only where the server has not seen the request; "
    "remove this, or use mesh.dataPlane: sidecar"
)

_NO_FAULT = (
    "routes of the Gateway API disturb nothing; try it with mesh.dataPlane: sidecar, or with "
    "a canary whose image misbehaves"
)

_NO_LIMIT = (
    "the proxies of the nodes count no requests, and a waypoint counts those to all replicas "
    "together; limit the server itself (runtime.maxSequences for vLLM), or use mesh.dataPlane: "
    "sidecar"
)

_NO_RATE = (
    "in ambient mode the gateway counts no requests; put the limit into an API gateway in front, "
    "or use mesh.dataPlane: sidecar"
)

LACKS: Lacks = {
    "traffic.concurrency.running": _NO_LIMIT,
    "traffic.concurrency.queue": _NO_LIMIT,
    "traffic.concurrency.retryAfter": _NO_LIMIT,
    "traffic.rateLimit.by=header": _NO_RATE,
    "traffic.rateLimit.per=minute": _NO_RATE,
    "traffic.rateLimit.per=hour": _NO_RATE,
    "traffic.rateLimit.by=identity": (
        "in ambient mode no proxy counts requests by caller; use mesh.dataPlane: sidecar, which "
        "counts them by header, or leave rateLimit out"
    ),
    "traffic.tokenBudget": (
        "the AI gateway that counts tokens is set up for sidecars alone; put one in front of the "
        "gateway, or use mesh.dataPlane: sidecar"
    ),
    "traffic.retries.attempts": _NO_RETRY,
    "traffic.retries.conditions": _NO_RETRY,
    "traffic.timeouts.firstByte": (
        "it bounds each try, and routes of the Gateway API's standard channel say nothing of "
        "tries; use traffic.timeouts.response, or mesh.dataPlane: sidecar"
    ),
    "traffic.connectionPool.http2Upgrade": (
        "in ambient mode the proxy that has the connection pool calls the server itself, which "
        "speaks HTTP/1.1, and between proxies all is HTTP/2 already; remove this"
    ),
    "traffic.balancing.policy=endpoint-picker": (
        "istiod gives pools to its gateways alone, whose calls to pods would pass the waypoint by, "
        "and with it the model's rules; use policy: least-request, or mesh.dataPlane: sidecar"
    ),
    "route.byModel": (
        "the router that reads the body is set up for the gateway of sidecar mode alone; use "
        "route.prefix or route.host, or mesh.dataPlane: sidecar"
    ),
    "traffic.fault.abort": _NO_FAULT,
    "traffic.fault.delay": _NO_FAULT,
}
