"""Hypothesis strategies for stacks that are valid by construction, with every option that exists.

`stacks()` gives what stands in a stack file. What must be unique among models (names, Services,
routes) ends with the model's number, so that no two can meet.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from components.mesh.ambient.capabilities import LACKS as AMBIENT_LACKS
from components.mesh.features import Lacks
from components.mesh.istio.settings import PROXY_PORTS
from components.model.memory import GPUS
from components.model.runtimes.vllm import VllmRuntime
from stacks.presets import PRESETS

ANY_STACK = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    # Making a failing stack smaller takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Of a property that holds for any stack."""

Settings = dict[str, Any]
Strategy = st.SearchStrategy[Any]

NAMESPACES = ("llm-production", "translation-serving", "n")
"""Few, so that models share them, and a cluster can have them ready."""

LARGE_GPUS = ("NVIDIA-H200", "NVIDIA-B200")
"""Every preset fits them at the lengths and numbers of sequences drawn here."""

GPU_COUNTS = tuple(
    count
    for count in range(1, 17)
    if all(profile.divides_over(count) for profile in PRESETS.values())
)

SMALL_GPUS = tuple(sorted(product for product, gpu in GPUS.items() if not gpu.bfloat16))


def some(**optional: Strategy) -> Strategy:
    """A map with any of these keys."""
    return st.fixed_dictionaries({}, optional=optional)


def matching(pattern: str, longest: int = 20) -> Strategy:
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(
        lambda text: len(text) <= longest
    )


def counts(most: int = 100_000) -> Strategy:
    return st.integers(1, most)


def durations(*units: str) -> Strategy:
    unit = st.sampled_from(units or ("ms", "s", "m", "h"))
    return st.builds("{}{}".format, st.integers(1, 99_999), unit)


names = matching("[a-z]([-a-z0-9]{0,8}[a-z0-9])?")
object_names = matching(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?(\.[a-z0-9]{1,5})?")
stems = st.one_of(names, st.just("m" * 51), st.sampled_from(("deepseek-r1-1.5b", "hy-mt", "a.0")))
hosts = matching(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?\.example\.com", 63)
ports = st.integers(1, 65535).filter(lambda port: port not in PROXY_PORTS)
segments = matching(r"[A-Za-z0-9._~!$&'()+,;=:@%-]{1,8}").filter(lambda text: text != "..")
paths = st.one_of(
    st.builds("/{}".format, segments), st.builds("/{}/{}/".format, segments, segments)
)
images = st.one_of(
    st.just("vllm/vllm-openai:v0.32.0"),
    st.builds("registry.example.com:5000/{}:{}".format, names, matching("[a-z0-9][a-z0-9.-]{0,8}")),
    st.builds("a/b@sha256:{}".format, st.text("0123456789abcdef", min_size=64, max_size=64)),
)
label_keys = st.one_of(
    matching("[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?"),
    st.builds("example.com/{}".format, matching("[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?")),
)
label_values = st.one_of(st.just(""), matching("[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?"))
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=12
)
environments = st.dictionaries(matching("[A-Za-z_][A-Za-z0-9_]{0,8}"), texts, max_size=3)
cpus = st.one_of(
    st.builds("{}m".format, counts()), st.builds(str, counts(128)), st.sampled_from(("0.5", "1.25"))
)
memories = st.builds(
    "{}{}".format,
    st.one_of(counts(4096), st.sampled_from(("1.5", "16.25"))),
    st.sampled_from(("M", "G", "T", "Ki", "Mi", "Gi", "Ti")),
)
references = st.fixed_dictionaries(
    {"secret": object_names, "key": matching("[-._a-zA-Z0-9]{1,10}")}
)
secrets = st.one_of(references, st.builds("plain-secret-{}".format, counts()))

principals = st.builds("cluster.local/ns/{}/sa/{}".format, names, object_names)
methods = st.lists(
    st.sampled_from(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")), max_size=3
)
path_patterns = st.lists(st.builds("{}{}".format, paths, st.sampled_from(("", "*"))), max_size=2)
narrowing = {"methods": methods, "paths": path_patterns}
callers = st.one_of(
    names,
    principals,
    st.fixed_dictionaries({"namespace": names}, optional=narrowing),
    st.fixed_dictionaries({"principal": principals}, optional=narrowing),
)

caches = st.one_of(
    st.fixed_dictionaries({"kind": st.just("hostPath"), "path": paths}),
    st.fixed_dictionaries({"kind": st.just("pvc"), "claim": object_names}),
    st.fixed_dictionaries(
        {"kind": st.just("pvc"), "size": memories},
        optional={
            "storageClass": object_names,
            "accessMode": st.sampled_from(("ReadWriteMany", "ReadWriteOnce")),
        },
    ),
    st.fixed_dictionaries({"kind": st.just("image"), "image": images}, optional={"path": paths}),
)

effects = st.sampled_from(("NoSchedule", "PreferNoSchedule", "NoExecute"))
tolerations = st.one_of(
    st.fixed_dictionaries(
        {"key": label_keys}, optional={"operator": st.just("Exists"), "effect": effects}
    ),
    st.fixed_dictionaries(
        {"key": label_keys, "operator": st.just("Equal")},
        optional={"value": label_values, "effect": effects},
    ),
)


headers = st.dictionaries(matching("[a-z0-9-]{1,12}"), matching("[ -~]{1,12}"), max_size=2)
faults = st.one_of(
    st.fixed_dictionaries({"percent": counts(100), "delay": durations()}),
    st.fixed_dictionaries(
        {"percent": counts(100), "abort": st.integers(400, 599)},
        optional={"delay": durations(), "headers": headers},
    ),
)


@st.composite
def traffic(draw: st.DrawFn) -> Settings:
    responses = st.builds("{}s".format, counts(90_000))
    conditions = st.sampled_from(("connect-failure", "refused-stream", "reset-before-request"))
    retries = draw(
        some(
            attempts=st.integers(0, 10),
            conditions=st.lists(conditions, min_size=1, max_size=3, unique=True),
            budget=st.one_of(st.none(), some(percent=st.integers(1, 100), minimum=counts())),
        )
    )
    timeouts = draw(some(connect=durations(), response=responses, idle=durations()))
    attempts = retries.get("attempts", 2)
    if attempts and draw(st.booleans()):
        # The tries fit the response exactly, or there is no limit to fit.
        first_byte = draw(counts(1000))
        timeouts["firstByte"] = f"{first_byte}s"
        timeouts.pop("response", None)
        if draw(st.booleans()):
            timeouts["response"] = f"{first_byte * (attempts + 1)}s"
    requests = draw(st.integers(1024, 100_000))
    pool = some(
        maxConnections=counts(),
        maxPendingRequests=counts(requests),
        maxRequests=st.just(requests),
        maxRequestsPerConnection=st.integers(0, 100_000),
        http2Upgrade=st.booleans(),
    ).filter(lambda pool: "maxRequests" in pool or pool.get("maxPendingRequests", 1) <= 1024)
    outliers = some(
        consecutiveErrors=counts(),
        interval=durations(),
        ejectionTime=durations(),
        maxEjected=st.integers(0, 100),
    )
    rest = some(
        connectionPool=pool,
        outlierDetection=outliers,
        balancing=st.one_of(
            st.fixed_dictionaries(
                {"policy": st.just("least-request")},
                optional={"warmUp": st.one_of(st.none(), durations())},
            ),
            st.fixed_dictionaries(
                {"policy": st.just("consistent-hash"), "header": matching("[a-z0-9-]{1,12}")}
            ),
        ),
        fault=faults,
    )
    return {"retries": retries, "timeouts": timeouts, **draw(rest)}


autoscaling_range = st.tuples(counts(1000), counts(1000)).map(
    lambda pair: {"min": min(pair), "max": max(pair)}
)


def autoscaling(has_queue: bool) -> Strategy:
    cpu = st.builds(
        lambda between, more: {"signal": "cpu", **between, **more},
        autoscaling_range,
        some(target=st.integers(1, 100)),
    )
    queue = st.builds(
        lambda between, more: {"signal": "queue-depth", **between, **more},
        autoscaling_range,
        some(target=counts(80_000)),
    )
    return st.one_of(cpu, queue) if has_queue else cpu


runtime_options = {
    "port": ports,
    "user": st.integers(1, 2**31 - 1),
    "arguments": st.lists(texts, max_size=2),
    "environment": environments,
}


@st.composite
def served(draw: st.DrawFn) -> Settings:
    """Preset, runtime and GPU, as far as they depend on one another."""
    gpu = draw(some(resource=st.sampled_from(("nvidia.com/gpu", "amd.com/gpu"))))
    if draw(st.booleans()):
        runtime = draw(
            st.fixed_dictionaries(
                {"kind": st.just("custom"), "image": images},
                optional=runtime_options
                | {
                    "healthPath": paths,
                    "warmUpPath": st.one_of(st.none(), paths),
                    "commandLine": st.lists(texts.filter(bool), max_size=2),
                },
            )
        )
        preset = draw(st.sampled_from((None, *PRESETS)))
        gpu |= draw(some(count=st.integers(0, 16), product=st.sampled_from(sorted(GPUS))))
        return {"runtime": runtime, "preset": preset, "gpu": gpu}
    runtime = draw(
        st.fixed_dictionaries(
            {
                "kind": st.just("vllm"),
                "maxLength": counts(8192),
                "maxSequences": st.integers(1, 64),
            },
            optional=runtime_options | {"image": images, "warmUpRequest": st.booleans()},
        )
    )
    if draw(st.booleans()):
        runtime["model"] = draw(matching("[A-Za-z0-9][A-Za-z0-9_.-]{0,5}/[A-Za-z0-9]{1,8}"))
        if dtype := draw(st.sampled_from((None, "bfloat16", "float16"))):
            runtime["dtype"] = dtype
        gpu |= draw(some(count=st.integers(0, 16), product=st.sampled_from(sorted(GPUS))))
        return {"runtime": runtime, "gpu": gpu}
    if draw(st.booleans()):
        runtime |= {"maxLength": draw(counts(1024)), "maxSequences": 1, "dtype": "float16"}
        gpu |= {"product": draw(st.sampled_from(SMALL_GPUS))}
    else:
        runtime["gpuMemoryUtilization"] = draw(st.sampled_from((0.5, 0.9, 1.0)))
        gpu |= draw(some(count=st.sampled_from(GPU_COUNTS), product=st.sampled_from(LARGE_GPUS)))
    return {"runtime": runtime, "preset": draw(st.sampled_from(sorted(PRESETS))), "gpu": gpu}


@st.composite
def routes(draw: st.DrawFn, number: int) -> Settings | None:
    """Only the first model may have the gateway's whole host; others have what is theirs alone."""
    kind = draw(st.sampled_from(("none", "default", "host", "prefix")))
    if kind == "none":
        return None
    route: Settings = draw(some(paths=path_patterns))
    if kind == "default" and number == 0:
        return route
    if kind == "host":
        return route | {"host": f"m{number}.{draw(hosts)}"} | draw(some(prefix=paths))
    ending = draw(st.sampled_from(("", "/", "/x")))
    return route | {"prefix": f"/{draw(segments)}{number}{ending}"}


@st.composite
def models(draw: st.DrawFn, number: int) -> tuple[str, Settings]:
    """A model's name and settings."""
    model: Settings = {"namespace": draw(st.sampled_from(NAMESPACES)), **draw(served())}
    vllm = model["runtime"]["kind"] == "vllm"
    if draw(st.booleans()):
        model["service"] = f"{draw(names)}{number}"
    if draw(st.booleans()):
        model["labels"] = draw(st.dictionaries(label_keys, label_values, max_size=2))
    if draw(st.booleans()):
        # Few, so that models share them.
        model.setdefault("labels", {})["app"] = draw(st.sampled_from(("llm", "hy-mt-translator")))
    scale = draw(st.sampled_from(("default", "replicas", "autoscaling")))
    if scale == "replicas":
        model["replicas"] = draw(counts())
    elif scale == "autoscaling":
        model["autoscaling"] = draw(autoscaling(has_queue=vllm))
    model |= draw(
        some(
            resources=some(cpu=cpus, memory=memories),
            nodeSelector=st.dictionaries(label_keys, label_values, max_size=2),
            tolerations=st.lists(tolerations, max_size=2),
            cache=caches,
            huggingFaceToken=secrets,
            generation=some(
                maxTokens=counts(),
                temperature=st.floats(0, 2),
                topP=st.floats(0.01, 1),
                topK=st.integers(-1, 100_000),
                repetitionPenalty=st.floats(0.01, 2),
            ),
            callers=st.lists(callers, max_size=3),
            apiKey=some(value=secrets),
            route=routes(number),
            traffic=traffic(),
            canary=st.fixed_dictionaries(
                {"image": images, "weight": st.integers(0, 100)},
                optional={
                    "arguments": st.lists(texts, max_size=2),
                    "environment": environments,
                    "resources": some(cpu=cpus, memory=memories),
                    "replicas": counts(),
                    "headers": headers,
                    "sticky": st.booleans(),
                },
            ),
            startup=some(period=st.builds("{}s".format, counts(1440)), failures=counts(60)),
            gracePeriod=st.one_of(
                st.builds("{}s".format, st.integers(21, 7200)), durations("m", "h")
            ),
            rollout=st.sampled_from(
                ({"surge": 1}, {"surge": 1000, "unavailable": 0}, {"unavailable": 5})
            ),
        )
    )
    if "route" not in model and number > 0:
        model["route"] = draw(routes(number))
    for variable in ("HF_TOKEN", "API_KEY", VllmRuntime().api_key_variable()):
        for version in (model["runtime"], model.get("canary", {})):
            version.get("environment", {}).pop(variable, None)
    return f"{draw(stems)}{number}", model


token_budgets = st.fixed_dictionaries(
    {"tokens": counts(), "header": matching("[a-z0-9-]{1,12}")},
    optional={"per": st.sampled_from(("minute", "hour", "day"))},
)

rate_limits = st.fixed_dictionaries(
    {"requests": counts()},
    optional={
        "per": st.sampled_from(("second", "minute", "hour")),
        "by": st.just("header"),
        "header": matching("[a-z0-9-]{1,12}"),
    },
)


@st.composite
def limited(draw: st.DrawFn, model: Settings) -> Settings:
    """The model with limits that fit what it runs on, and what else has to fit them."""
    traffic: Settings = model.get("traffic", {})
    sequences = model["runtime"].get("maxSequences")
    versions = [model, model.get("canary", {})]
    targets = [
        version["autoscaling"].get("target", 5)
        for version in versions
        if version.get("autoscaling", {}).get("signal") == "queue-depth"
    ]
    running = draw(counts(sequences or 100_000)) if draw(st.booleans()) else None
    if targets or draw(st.booleans()):
        if not sequences:
            running = running or draw(counts())
        needed = sequences - running if sequences and running else 0
        needed += max((target * 11 // 10 + 1 for target in targets), default=0)
        queue = {"queue": draw(st.integers(needed, 100_000))}
        concurrency = queue | ({"running": running} if running else {})
        concurrency |= draw(some(retryAfter=durations("s", "m", "h")))
        traffic["concurrency"] = draw(st.sampled_from((concurrency, None)))
    if not traffic.get("concurrency"):
        running = None
    most = max(
        version.get("autoscaling", {}).get("max", version.get("replicas", 1))
        for version in versions
    )
    if at_once := min(100_000, most * (running or sequences or 0)):
        pool = traffic.setdefault("connectionPool", {})
        pool["maxRequests"] = max(at_once, pool.get("maxRequests", 1024))
        pool["maxConnections"] = max(at_once, pool.get("maxConnections", 1024))
    if response := traffic.get("timeouts", {}).get("response"):
        model["gracePeriod"] = f"{int(response.removesuffix('s')) + draw(st.integers(20, 99))}s"
    picked = traffic.get("balancing") == PICKED["balancing"]
    if model.get("route", {}) is not None and not picked and draw(st.booleans()):
        traffic["rateLimit"] = draw(rate_limits)
    if model.get("route", {}) is not None and not picked and draw(st.booleans()):
        traffic["tokenBudget"] = draw(token_budgets)
    return model | ({"traffic": traffic} if traffic else {})


PICKED: Settings = {"balancing": {"policy": "endpoint-picker"}}


@st.composite
def related_models(draw: st.DrawFn) -> Settings:
    """Up to three models by name, each of which may be mirrored to another."""
    made = dict(draw(models(number)) for number in range(draw(st.integers(1, 3))))
    for name, model in made.items():
        others = [other for other in made if other != name]
        if others and draw(st.booleans()):
            model.setdefault("traffic", {})["mirror"] = {
                "model": draw(st.sampled_from(others)),
                "percent": draw(counts(100)),
                "sideEffects": "none",
            }
    at_gateway = [model for model in made.values() if model.get("route", {}) is not None]
    if draw(st.booleans()):
        for model in at_gateway:
            model["route"] = model.get("route", {}) | {"byModel": True}
    for number, model in enumerate(at_gateway):
        vllm = model["runtime"]["kind"] == "vllm"
        if vllm and "mirror" not in model.get("traffic", {}) and draw(st.booleans()):
            model.pop("canary", None)
            model["traffic"] = dict(PICKED)
            model |= {"service": f"p{number}", "route": {"host": f"picked{number}.example.com"}}
        elif _told_by_headers(model):
            # At the root of a host that others share, its special requests would be theirs too.
            model["route"] = model.get("route", {}) | {"host": f"own{number}.example.com"}
    return {name: draw(limited(model)) for name, model in made.items()}


def _told_by_headers(model: Settings) -> bool:
    canary, fault = model.get("canary", {}), model.get("traffic", {}).get("fault", {})
    return bool(canary.get("headers") or canary.get("sticky") or fault.get("headers"))


mesh = st.fixed_dictionaries(
    {"kind": st.just("istio")},
    optional={
        "version": st.sampled_from(("1.30.2", "1.31.1")),
        "revision": names,
        "highAvailability": st.booleans(),
        "cni": st.booleans(),
        "nativeSidecars": st.booleans(),
        "trustDomain": st.sampled_from(("cluster.local", "mesh.example.com")),
        "values": some(istiod=st.just({"meshConfig": {"accessLogFile": "/dev/stdout"}})),
    },
)

ambient = st.fixed_dictionaries(
    {"kind": st.just("istio"), "dataPlane": st.just("ambient")},
    optional={
        "revision": names,
        "highAvailability": st.booleans(),
        "trustDomain": st.sampled_from(("cluster.local", "mesh.example.com")),
        "waypoint": some(cpu=cpus, memory=memories, maxReplicas=counts()),
        "gatewayApi": st.booleans(),
    },
)


def _leave_out(lacks: Lacks, model: Settings) -> None:
    """Take from a model what its mesh would refuse."""
    for name in lacks:
        path, _, value = name.partition("=")
        *parents, key = path.split(".")
        place = model
        for parent in parents:
            place = place.get(parent) or {}
        if not value or place.get(key, value) == value:
            place.pop(key, None)
    # What cannot be without the part that was taken.
    traffic = model.setdefault("traffic", {})
    traffic["concurrency"] = None
    for part in ("fault", "rateLimit", "tokenBudget"):
        traffic.pop(part, None)
    if "policy" not in traffic.get("balancing", {}):
        traffic.pop("balancing", None)


def gateways(pem: str) -> Strategy:
    tls = st.one_of(
        st.fixed_dictionaries(
            {"issuer": object_names},
            optional={"issuerKind": st.sampled_from(("Issuer", "ClusterIssuer"))},
        ),
        st.fixed_dictionaries({"secret": object_names}),
        st.just({"certificateFile": pem, "keyFile": pem}),
    )
    return st.fixed_dictionaries(
        {"host": hosts, "tls": tls},
        optional={"annotations": st.dictionaries(label_keys, texts, max_size=2)},
    )


@st.composite
def stacks(draw: st.DrawFn, pem: str, meshes: Strategy | None = None) -> Settings:
    """A stack file's settings; `pem` is a file that holds a certificate or key."""
    stack: Settings = {
        "mesh": draw(st.one_of(mesh, ambient) if meshes is None else meshes),
        "cluster": {"version": draw(st.sampled_from(("1.35", "1.36")))},
        "models": draw(related_models()),
        "environment": draw(st.sampled_from(("production", "staging", "development"))),
    }
    if "dataPlane" in stack["mesh"]:
        # A copy: strategies hand out the same objects again.
        stack["models"] = copy.deepcopy(stack["models"])
        for model in stack["models"].values():
            _leave_out(AMBIENT_LACKS, model)
    if stack["environment"] == "production":
        for name, model in stack["models"].items():
            if fault := model.get("traffic", {}).get("fault"):
                fault["force"] = name
    stack |= draw(
        some(
            gateway=st.one_of(st.none(), gateways(pem)),
            adoption=st.sampled_from(("unmeshed", "permissive", "strict")),
            prometheus=st.just("http://prometheus.monitoring:9090"),
            tracing=st.fixed_dictionaries(
                {"endpoint": st.just("http://otel-collector.observability:4317")},
                optional={"sampling": st.floats(0, 100)},
            ),
            charts=st.sampled_from(("oci://registry.example.com/charts", "https://example.com/x")),
        )
    )
    if not stack.get("gateway"):
        # Nobody would ask an endpoint picker, nor count requests.
        for model in stack["models"].values():
            traffic = model.get("traffic", {})
            traffic.pop("rateLimit", None)
            traffic.pop("tokenBudget", None)
            if traffic.get("balancing") == PICKED["balancing"]:
                del traffic["balancing"]
    return stack
