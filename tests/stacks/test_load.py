"""What bad input gets: the field, the reason and the fix, for everything that is wrong at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pulumi.runtime import set_all_config

from components.model.runtimes.vllm import VllmRuntime
from stacks.errors import ConfigurationError
from stacks.load import from_config, from_mapping
from tests.components.mesh.linkerd.pem import provided
from tests.components.samples import CUSTOM, NAME, model_settings, stack_mapping

MIRROR = {"model": "staging", "percent": 5, "sideEffects": "none"}
PRINCIPAL = "cluster.local/ns/default/sa/api-gateway"


def problems(mapping: dict[str, Any]) -> dict[str, str]:
    try:
        from_mapping(mapping)
    except ConfigurationError as error:
        return {".".join(path): message for path, message in error.problems}
    return {}


def model(**settings: Any) -> dict[str, Any]:
    """A stack whose only model `m` has these settings."""
    return stack_mapping({"m": model_settings(**settings)})


def models(**by_name: dict[str, Any]) -> dict[str, Any]:
    """A stack of several models, each with a prefix of its own."""
    return stack_mapping(
        {
            name: model_settings(**{"route": {"prefix": f"/{name}"}, **settings})
            for name, settings in by_name.items()
        }
    )


BAD: list[tuple[str, dict[str, Any], str, list[str]]] = [
    (
        "a typo in a model",
        model(replicsa=3),
        "models.m.replicsa",
        ["unknown key", "did you mean replicas?"],
    ),
    (
        "a typo at the top",
        stack_mapping(gatewy={}),
        "gatewy",
        ["unknown key", "did you mean gateway?"],
    ),
    (
        "a typo deep inside",
        model(traffic={"timeouts": {"respons": "3s"}}),
        "models.m.traffic.timeouts.respons",
        ["did you mean response?"],
    ),
    (
        "a typo in one of a union",
        model(runtime={"kind": "vllm", "maxLenght": 1}),
        "models.m.runtime.maxLenght",
        ["did you mean maxLength?"],
    ),
    (
        "a key unlike any other",
        model(startup={"zzz": 1}),
        "models.m.startup.zzz",
        ["known keys: failures, period"],
    ),
    (
        "a wrong type",
        model(replicas="three"),
        "models.m.replicas",
        ["expected a whole number, 1 or more", "got 'three'"],
    ),
    (
        "a word for a map",
        stack_mapping(mesh="istio"),
        "mesh",
        ["expected a map of settings", "got 'istio'"],
    ),
    (
        "a word for a list",
        model(callers="frontend"),
        "models.m.callers",
        ["expected a list", "got 'frontend'"],
    ),
    (
        "a word for a choice",
        model(runtime={"kind": "vllm", "warmUpRequest": "maybe"}),
        "models.m.runtime.warmUpRequest",
        ["expected true or false"],
    ),
    (
        "a key with the name of its kind",
        model(cache={"kind": "image", "image": "a/b:1", "path": "here"}),
        "models.m.cache.path",
        ["begins with '/'", "got 'here'"],
    ),
    ("no mesh", {"models": {}}, "mesh", ["is required"]),
    (
        "an unknown mesh",
        stack_mapping(mesh={"kind": "consul"}),
        "mesh",
        ["unknown kind 'consul'", "'istio', 'linkerd'"],
    ),
    (
        "an unknown release of the mesh",
        stack_mapping(mesh={"kind": "istio", "version": "1.20.0"}),
        "mesh.version",
        ["Istio 1.20.0 is not known", "1.30, 1.31"],
    ),
    (
        "an unknown runtime",
        model(runtime={"kind": "tgi"}),
        "models.m.runtime",
        ["unknown kind 'tgi'", "'vllm', 'custom'"],
    ),
    (
        "a runtime without a kind",
        model(runtime={"port": 8000}),
        "models.m.runtime",
        ["needs the key 'kind'"],
    ),
    (
        "a port of the proxy",
        model(runtime={"kind": "vllm", "port": 15020}),
        "models.m.runtime.port",
        ["port 15020 is the mesh proxy's own", "8000"],
    ),
    (
        "a context longer than the model's",
        model(runtime={"kind": "vllm", "maxLength": 200_000, "maxSequences": 1}),
        "models.m.runtime.maxLength",
        ["has a context of 131072 tokens"],
    ),
    (
        "a revision too long for its release",
        stack_mapping(mesh={"kind": "istio", "revision": "r" * 47}),
        "mesh.revision",
        ["expected at most 46 characters"],
    ),
    (
        "an unknown preset",
        model(preset="llama"),
        "models.m.preset",
        ["unknown preset llama", "deepseek-r1-distill-qwen-1.5b", "hy-mt1.5-1.8b"],
    ),
    (
        "no preset and no model",
        model(preset=None),
        "models.m",
        ["set preset to a known model", "runtime.model"],
    ),
    (
        "an unknown GPU",
        model(gpu={"product": "L4"}),
        "models.m.gpu.product",
        ["unknown GPU L4", "NVIDIA-L4", "MIG slice, use nodeSelector"],
    ),
    (
        "a canary of more than everything",
        model(canary={"image": "a/b:1", "weight": 110}),
        "models.m.canary.weight",
        ["from 0 to 100", "got 110"],
    ),
    (
        "an image that moves",
        model(canary={"image": "a/b", "weight": 10}),
        "models.m.canary.image",
        ["with a tag or digest"],
    ),
    (
        "min above max",
        model(autoscaling={"signal": "cpu", "min": 5, "max": 2}),
        "models.m.autoscaling.min",
        ["min 5 is above max 2"],
    ),
    (
        "an autoscaler without a signal",
        model(autoscaling={"max": 2}),
        "models.m.autoscaling",
        ["needs the key 'signal'"],
    ),
    (
        "a model that does not fit",
        model(gpu={"product": "NVIDIA-L4"}, runtime={"kind": "vllm", "maxLength": 32768}),
        "models.m.gpu.product",
        ["does not fit 1 x NVIDIA-L4", "weights 3.3 GiB", "KV cache 28.0 GiB", "20.2 GiB"],
    ),
    (
        "a type that the GPU has not",
        model(gpu={"product": "Tesla-T4"}, runtime={"kind": "vllm", "maxSequences": 1}),
        "models.m.runtime.dtype",
        ["Tesla-T4 has no bfloat16", "float16"],
    ),
    (
        "GPUs that do not divide a model",
        model(gpu={"count": 5}),
        "models.m.gpu.count",
        ["12 attention heads", "do not all divide over 5 GPUs", "use one of 1, 2, 4"],
    ),
    (
        "GPUs that divide some of a model",
        model(gpu={"count": 3}),
        "models.m.gpu.count",
        ["2 key-value heads", "do not all divide over 3 GPUs"],
    ),
    (
        "a canary that does not fit, though the stable version does",
        model(gpu={"product": "NVIDIA-L4"}, canary={"weight": 10, "maxLength": 32768}),
        "models.m.canary.gpu.product",
        ["does not fit 1 x NVIDIA-L4", "KV cache 28.0 GiB"],
    ),
    (
        "a canary on a GPU that lacks its type",
        model(canary={"weight": 10, "gpu": {"product": "Tesla-T4"}, "maxSequences": 1}),
        "models.m.canary.dtype",
        ["Tesla-T4 has no bfloat16"],
    ),
    (
        "a canary of an unknown preset",
        model(canary={"weight": 10, "preset": "llama"}),
        "models.m.canary.preset",
        ["unknown preset llama", "expected one of deepseek-r1-distill-qwen-1.5b"],
    ),
    (
        "a release of a model that is not in the mesh",
        {**model(progressive={}), "adoption": "unmeshed"},
        "models.m.progressive",
        ["is unmeshed", "permissive or strict"],
    ),
    (
        "a Service whose name has no room for Flagger's",
        model(progressive={}, service="s" * 48),
        "models.m.service",
        ["at most 47 characters"],
    ),
    (
        "a name by which metrics would not find the pods",
        models(**{"m" * 39: {"progressive": {}}}),
        f"models.{'m' * 39}",
        ["at most 38 characters"],
    ),
    (
        "more GPUs than a node has",
        model(gpu={"count": 17}),
        "models.m.gpu.count",
        ["expected a whole number of GPUs, 0 to 16", "got 17"],
    ),
    (
        "no CPU at all",
        model(resources={"cpu": "0.0"}),
        "models.m.resources.cpu",
        ["expected CPU cores", "got '0.0'"],
    ),
    (
        "a new volume that nothing can fill",
        model(cache={"kind": "pvc", "size": "50Gi", "accessMode": "ReadOnlyMany"}),
        "models.m.cache.accessMode",
        ["has to be filled once", "ReadWriteMany"],
    ),
    (
        "a public path with a star inside",
        model(route={"paths": ["/v1/*", "/v1/*/models"]}),
        "models.m.route.paths.1",
        ["'*' at most at its end", "for example /v1/*"],
    ),
    (
        "a caller's path with a star inside",
        model(callers=[{"namespace": "a", "paths": ["/*/models"]}]),
        "models.m.callers.0.paths.0",
        ["'*' at most at its end"],
    ),
    (
        "a mirror that is not there",
        models(a={"traffic": {"mirror": MIRROR}}, b={}),
        "models.a.traffic.mirror.model",
        ["staging is no other model of this stack", "expected one of b"],
    ),
    (
        "a mirror of itself",
        models(staging={"traffic": {"mirror": MIRROR}}),
        "models.staging.traffic.mirror.model",
        ["staging is no other model of this stack", "there is no other"],
    ),
    (
        "a fault in production",
        model(traffic={"fault": {"percent": 5, "abort": 503}}),
        "models.m.traffic.fault",
        ["this stack is marked production", "environment: staging", "force: m"],
    ),
    (
        "a fault forced on another model",
        model(traffic={"fault": {"percent": 5, "abort": 503, "force": "other"}}),
        "models.m.traffic.fault",
        ["this stack is marked production", "force: m"],
    ),
    (
        "a fault without effect",
        model(traffic={"fault": {"percent": 5, "force": "m"}}),
        "models.m.traffic.fault",
        ["a delay, an abort, or both"],
    ),
    (
        "values that would hide the gateway",
        stack_mapping(mesh={"kind": "istio", "values": {"gateway": {"labels": {"istio": "x"}}}}),
        "mesh.values.gateway.labels",
        ["derived from the release"],
    ),
    (
        "retries that do not fit",
        model(traffic={"timeouts": {"firstByte": "10s", "response": "20s"}}),
        "models.m.traffic.timeouts.response",
        ["3 tries of 10s each need 30s", "the response has 20s"],
    ),
    (
        "replicas beside an autoscaler",
        model(replicas=2, autoscaling={"signal": "cpu", "max": 4}),
        "models.m.replicas",
        ["would fight over the Deployment"],
    ),
    (
        "a queue where there is none",
        model(runtime=CUSTOM, autoscaling={"signal": "queue-depth", "max": 4}),
        "models.m.autoscaling.signal",
        ["custom runtime has no metric of its queue"],
    ),
    (
        "two models on the same route",
        models(a={"route": {}}, b={"route": {}}),
        "models.b.route",
        ["a has https://llm.example.com/ already", "route.prefix, for example /b"],
    ),
    (
        "a route inside another",
        models(a={"route": {"prefix": "/v1"}}, b={"route": {"prefix": "/v1/b/"}}),
        "models.b.route",
        ["a has https://llm.example.com/v1 already"],
    ),
    (
        "two models with the same Service",
        models(a={"service": "llm"}, b={"service": "llm"}),
        "models.b",
        ["a and b would share the Service llm in namespace ai-inference"],
    ),
    (
        "a model whose Service is named as the other's route at the gateway",
        models(a={"service": "llm"}, b={"service": "llm-gateway"}),
        "models.b",
        ["a and b would share the route llm-gateway"],
    ),
    (
        "two models whose names differ by a dot",
        models(**{"a.b": {"service": "x"}, "a-b": {"service": "y"}}),
        "models.a-b",
        ["a.b and a-b would share the ServiceAccount a-b"],
    ),
    (
        "a model with the name of a canary",
        models(**{"a": {"canary": {"image": "x/y:1", "weight": 1}}, "a-canary": {}}),
        "models.a-canary",
        ["a and a-canary would share the Deployment a-canary"],
    ),
    (
        "a claim with a size",
        model(cache={"kind": "pvc", "claim": "models", "size": "1Gi"}),
        "models.m.cache",
        ["either claim (one that exists) or size (one to make"],
    ),
    (
        "an image volume on an old cluster",
        stack_mapping(
            {"m": model_settings(cache={"kind": "image", "image": "a/b:1"})},
            cluster={"version": "1.34"},
        ),
        "models.m.cache.kind",
        ["need Kubernetes 1.35", "the cluster has 1.34"],
    ),
    (
        "two sources of a certificate",
        stack_mapping(gateway={"host": "a.example.com", "tls": {"issuer": "x", "secret": "y"}}),
        "gateway.tls",
        ["exactly one source"],
    ),
    (
        "a certificate that is not there",
        stack_mapping(
            gateway={
                "host": "a.example.com",
                "tls": {"certificateFile": "no.crt", "keyFile": "pyproject.toml"},
            }
        ),
        "gateway.tls.certificateFile",
        ["there is no file no.crt"],
    ),
    (
        "a caller that is two",
        model(callers=["frontend", {"namespace": "a", "principal": PRINCIPAL}]),
        "models.m.callers.1",
        ["give exactly one of them"],
    ),
    (
        "a caller that is none",
        model(callers=["Front_End"]),
        "models.m.callers.0",
        ["lower-case letters", "got 'Front_End'"],
    ),
    (
        "dots in the name of a Service",
        model(service="deepseek-r1-1.5b-svc"),
        "models.m.service",
        ["without dots", "got 'deepseek-r1-1.5b-svc'"],
    ),
    (
        "a model's name in capitals",
        stack_mapping({"DeepSeek": model_settings()}),
        "models.DeepSeek",
        ["lower-case letters", "deepseek-r1-1.5b"],
    ),
    (
        "a namespace with dots",
        model(namespace="ai.inference"),
        "models.m.namespace",
        ["without dots", "ai-inference"],
    ),
    (
        "a collector's address without a port",
        stack_mapping(tracing={"endpoint": "http://otel"}),
        "tracing.endpoint",
        ["expected http://host:port"],
    ),
    (
        "a collector's address with a path",
        stack_mapping(tracing={"endpoint": "http://otel:4318/v1/traces"}),
        "tracing.endpoint",
        ["expected http://host:port"],
    ),
    (
        "a key of no Secret",
        model(huggingFaceToken={"secret": "hub"}),
        "models.m.huggingFaceToken.key",
        ["is required"],
    ),
]


@pytest.mark.parametrize(
    ("mapping", "path", "words"),
    [pytest.param(*case[1:], id=case[0].replace(" ", "-")) for case in BAD],
)
def test_bad_input_is_refused_by_field_and_reason(
    mapping: dict[str, Any], path: str, words: list[str]
) -> None:
    found = problems(mapping)
    assert path in found
    assert [word for word in words if word not in found[path]] == []


def test_what_is_wrong_in_one_place_is_said_once() -> None:
    # The certificate case has an issuer and a key that is no key, which are two.
    once = [case for case in BAD if case[0] != "a certificate that is not there"]
    assert [title for title, mapping, *_ in once if len(problems(mapping)) != 1] == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"replicas": "three"}, "expected a whole number, 1 or more; got 'three'"),
        ({"preset": 7}, "expected text; got 7"),
        ({"labels": []}, "expected a map; got a list"),
        ({"service": "x" * 100}, None),
    ],
)
def test_a_message_says_what_was_expected_and_what_came(
    bad: dict[str, Any], message: str | None
) -> None:
    ((_, found),) = problems(model(**bad)).items()
    assert found == message if message else found.endswith(f"got '{'x' * 56}...")


def test_everything_that_is_wrong_is_reported_together() -> None:
    mapping = stack_mapping(
        {
            "a": model_settings(replicas="many", route={"prefix": "/a"}),
            "b": model_settings(autoscaling={"signal": "cpu", "min": 3, "max": 1}),
            "c": model_settings(replicsa=1, gracePeriod="soon", route={"prefix": "/c"}),
        },
        adoption="maybe",
    )
    assert list(problems(mapping)) == [
        "adoption",
        "models.a.replicas",
        "models.b.autoscaling.min",
        "models.c.gracePeriod",
        "models.c.replicsa",
    ]


def test_models_are_checked_even_where_the_mesh_is_broken() -> None:
    found = problems(model(preset="llama") | {"mesh": {"kind": "consul"}})
    assert set(found) == {"mesh", "models.m.preset"}


def test_what_a_broken_mesh_stands_beside_is_still_known() -> None:
    fault = {"fault": {"percent": 5, "abort": 503}}
    rest = {"mesh": {"kind": "consul"}, "environment": "staging", "cluster": {"version": "1.34"}}
    cache = {"kind": "image", "image": "a/b:1"}
    found = problems(model(traffic=fault, cache=cache) | rest)
    assert set(found) == {"mesh", "models.m.cache.kind"}


def test_a_mirror_that_is_broken_is_there_nevertheless() -> None:
    def to(name: str) -> dict[str, Any]:
        return {"traffic": {"mirror": MIRROR | {"model": name}}}

    found = problems(models(a=to("b"), b=to("c"), c={"replicsa": 1}))
    assert set(found) == {"models.c.replicsa"}
    found = problems(models(a=to("b") | {"preset": "llama"}, b={"replicsa": 1}))
    assert set(found) == {"models.a.preset", "models.b.replicsa"}
    odd = {"traffic": {"mirror": {"model": ["b"]}}}
    assert all(path.startswith("models.a.traffic.mirror") for path in problems(models(a=odd)))


def test_two_models_may_have_the_same_app_label_which_selects_nothing() -> None:
    assert problems(models(a={"labels": {"app": "llm"}}, b={"labels": {"app": "llm"}})) == {}


@pytest.mark.parametrize("key", ["name", "labels", "serviceAccount", "revision"])
def test_no_value_moves_the_gateway_from_where_routes_and_policies_look(key: str) -> None:
    values = {"gateway": {key: "x", "replicaCount": 3}, "istiod": {key: "x"}}
    found = problems(stack_mapping(mesh={"kind": "istio", "values": values}))
    assert set(found) == {f"mesh.values.gateway.{key}"}


def test_the_message_counts_the_problems_and_names_each() -> None:
    with pytest.raises(ConfigurationError) as refused:
        from_mapping(model(replicsa=1, gracePeriod="soon"))
    head, *lines = str(refused.value).splitlines()
    assert head == "the configuration has 2 problems:"
    assert [line.partition(":")[0] for line in lines] == [
        "  models.m.gracePeriod",
        "  models.m.replicsa",
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"apiKey": "sk-very-secret"},
        {"apiKey": {"value": ["sk-very-secret"]}},
        {"huggingFaceToken": 815_4711},
    ],
)
def test_no_message_shows_what_may_be_a_secret(bad: dict[str, Any]) -> None:
    found = str(problems(model(**bad)))
    assert found != "{}"
    assert "sk-very-secret" not in found
    assert "8154711" not in found


def test_a_model_at_the_root_takes_what_the_others_leave() -> None:
    assert problems(models(a={"route": {}}, b={"route": {"prefix": "/b"}})) == {}
    assert problems(models(a={"route": {"prefix": "/v1"}}, b={"route": {"prefix": "/v1b"}})) == {}


def test_the_same_prefix_on_two_hosts_is_two_places() -> None:
    elsewhere = {"route": {"host": "b.example.com", "prefix": "/v1"}}
    assert problems(models(a={"route": {"prefix": "/v1"}}, b=elsewhere)) == {}


def test_the_same_names_in_two_namespaces_are_two_things() -> None:
    elsewhere = {"service": "llm", "namespace": "other"}
    assert problems(models(a={"service": "llm"}, b=elsewhere)) == {}


def test_settings_that_are_not_given_have_their_defaults() -> None:
    settings = from_mapping(stack_mapping())
    assert isinstance(settings.models[NAME].runtime, VllmRuntime)
    assert settings.adoption == "strict"
    assert settings.cluster.version is None


@pytest.mark.parametrize("given", [0, 0.0])
def test_a_zero_is_a_zero_and_no_default(given: Any) -> None:
    settings = from_mapping(model(generation={"temperature": given}, gpu={"count": 0}))
    assert settings.models["m"].generation.temperature == 0
    assert settings.models["m"].gpu.count == 0


@pytest.mark.parametrize(
    ("environment", "force"), [("staging", None), ("development", None), ("production", "m")]
)
def test_a_fault_is_taken_outside_production_or_by_name(
    environment: str, force: str | None
) -> None:
    fault = {"percent": 5, "abort": 503, "force": force}
    assert problems(model(traffic={"fault": fault}) | {"environment": environment}) == {}


def test_a_mirror_says_its_share_and_that_it_has_no_side_effects() -> None:
    mapping = models(a={"traffic": {"mirror": {"model": "b"}}}, b={})
    assert set(problems(mapping)) == {
        "models.a.traffic.mirror.percent",
        "models.a.traffic.mirror.sideEffects",
    }


@contextmanager
def config(mapping: dict[str, Any], secret: tuple[str, ...] = ()) -> Iterator[None]:
    """The running stack's configuration, as the engine hands it over."""
    texts = {
        f"inference-mesh:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in mapping.items()
    }
    set_all_config(
        texts | {"aws:region": "eu-central-1"}, [f"inference-mesh:{key}" for key in secret]
    )
    try:
        yield
    finally:
        set_all_config({}, [])


def test_the_running_stacks_configuration_is_loaded() -> None:
    with config(stack_mapping(charts="oci://registry.example.com/charts")):
        settings = from_config()
    assert settings == from_mapping(stack_mapping(charts="oci://registry.example.com/charts"))


def test_a_secret_in_plain_text_is_refused_with_the_command_that_hides_it() -> None:
    mapping = stack_mapping({NAME: model_settings(huggingFaceToken="hf_x", apiKey={"value": "k"})})
    with config(mapping), pytest.raises(ConfigurationError) as refused:
        from_config()
    message = str(refused.value)
    assert f"models.{NAME}.huggingFaceToken: a secret in plain text" in message
    assert "'inference-mesh:models[\"deepseek-r1-1.5b\"].huggingFaceToken'" in message
    assert f"models.{NAME}.apiKey.value: a secret in plain text" in message
    assert "hf_x" not in message


def test_a_secret_that_pulumi_hides_is_taken() -> None:
    mapping = stack_mapping({NAME: model_settings(huggingFaceToken="hf_x")})
    with config(mapping, secret=("models",)):
        token = from_config().models[NAME].hugging_face_token
    assert "hf_x" not in repr(token)


def test_the_name_of_a_secret_may_stand_in_plain_text() -> None:
    reference = {"secret": "hub", "key": "token"}
    with config(stack_mapping({NAME: model_settings(huggingFaceToken=reference)})):
        assert from_config().models[NAME].hugging_face_token is not None


def test_a_null_in_the_stack_file_is_nothing() -> None:
    with config(stack_mapping(gateway=None)):
        assert from_config().gateway is None


def test_an_empty_configuration_says_what_it_needs() -> None:
    with config({}), pytest.raises(ConfigurationError, match="mesh: is required"):
        from_config()


def test_a_model_may_not_be_named_as_the_namespaces_own_service_account() -> None:
    words = r"models\.default: the namespace itself and default would share the ServiceAccount"
    with pytest.raises(ConfigurationError, match=words):
        from_mapping(stack_mapping({"default": model_settings()}))


def test_a_key_in_plain_text_that_no_reference_can_replace_names_the_command_alone() -> None:
    mapping = stack_mapping(mesh={"kind": "linkerd", "identity": provided()})
    with config(mapping), pytest.raises(ConfigurationError) as refused:
        from_config()
    (line,) = [text for text in str(refused.value).splitlines() if "issuerKey" in text]
    assert line.endswith("--path 'inference-mesh:mesh.identity.issuerKey'`")
    assert "PRIVATE KEY" not in str(refused.value)
