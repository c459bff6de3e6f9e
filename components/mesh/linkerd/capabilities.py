"""What Linkerd cannot do, and the nearest that it can."""

from components.mesh.features import Lacks

_NO_LIMIT = (
    "Linkerd's proxies limit requests in a time and not those under way; limit the server itself "
    "(runtime.maxSequences for vLLM), or use mesh.kind: istio"
)

_SECONDS = "Linkerd counts the requests of a second; set per: second, and requests for that time"

LACKS: Lacks = {
    "traffic.timeouts.firstByte": "Linkerd's only timer for the first byte ends the generation "
    "that it waited for and begins another; use timeouts.response, or leave it out",
    "traffic.timeouts.connect": "Linkerd has one timeout for connections for all that a pod "
    "calls; set mesh.values.controlPlane.proxy.outboundConnectTimeout",
    "traffic.timeouts.idle": "Linkerd's proxies keep unused connections for a time of their own, "
    "and timeout.linkerd.io/idle would cut a stream that waits for its turn; leave it out",
    "traffic.retries.conditions": "Linkerd's proxy itself decides which requests no server has "
    "seen (no pod reached, stream refused), and retries by status could repeat a generation; "
    "leave it out",
    "traffic.retries.budget.percent": "Linkerd bounds the retries of a request and not their share "
    "of all; lower retries.attempts",
    "traffic.retries.budget.minimum": "Linkerd bounds the retries of a request and not their share "
    "of all; lower retries.attempts",
    "traffic.concurrency.running": _NO_LIMIT,
    "traffic.concurrency.queue": _NO_LIMIT,
    "traffic.concurrency.retryAfter": _NO_LIMIT,
    "traffic.rateLimit.by=header": "Linkerd tells callers apart by their identity in the mesh and "
    "has no gateway of its own; use by: identity, or put a limit by header into the gateway's own "
    "settings (for Envoy Gateway a BackendTrafficPolicy)",
    "traffic.rateLimit.per=minute": _SECONDS,
    "traffic.rateLimit.per=hour": _SECONDS,
    "traffic.tokenBudget": "the AI gateway that counts tokens is set up behind Istio's gateway "
    "alone; extend Envoy Gateway with Envoy AI Gateway yourself (a BackendTrafficPolicy), or use "
    "mesh.kind: istio",
    "traffic.connectionPool": "Linkerd's proxies share one HTTP/2 connection for all requests to "
    "a pod and limit none; limit the server itself (runtime.maxSequences for vLLM), or use "
    "mesh.kind: istio",
    "traffic.connectionPool.http2Upgrade": "between Linkerd's proxies all is HTTP/2 already; "
    "remove this",
    "traffic.outlierDetection.interval": "Linkerd counts errors in a row and looks at no "
    "interval; leave it out",
    "traffic.outlierDetection.maxEjected": "Linkerd may leave out all pods that fail; keep "
    "consecutiveErrors high enough for a fault that all share",
    "traffic.balancing.policy=consistent-hash": "Linkerd always sends to the pod with the lowest "
    "recent latency and load; leave it out, or use mesh.kind: istio",
    "traffic.balancing.policy=endpoint-picker": "Linkerd's proxies choose the pod themselves, and "
    "know no InferencePool; leave it out, or use mesh.kind: istio",
    "route.byModel": "the router that reads the body is set up for Istio's gateway alone; use "
    "route.prefix or route.host, or mesh.kind: istio",
    "traffic.balancing.warmUp": "Linkerd sends to the pod with the lowest recent latency and load, "
    "new ones at once; leave it out, since a pod is ready only after its first answer",
    "traffic.mirror": "Linkerd copies no traffic; use canary with a small weight, or mesh.kind: "
    "istio",
    "traffic.fault.delay": "Linkerd holds no request; use fault.abort, which it does by a backend "
    "of errors, or mesh.kind: istio",
}
