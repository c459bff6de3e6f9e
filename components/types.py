"""The vocabulary of the settings: Kubernetes names, quantities, durations and the like.

Each type is a plain string or number whose validator says what was expected and gives an example.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler


def _text(value: Any) -> Any:
    """YAML reads `cpu: 4` and `version: 1.36` as numbers; the user meant text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def expected(what: str) -> WrapValidator:
    """Replace a validator's own words by "expected <what>"."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValueError:
            raise ValueError(f"expected {what}") from None

    return WrapValidator(check)


def _pattern(regex: str, longest: int = 253) -> StringConstraints:
    return StringConstraints(pattern=f"^(?:{regex})$", max_length=longest, strict=True)


_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}

Name = Annotated[
    str,
    _pattern("[a-z](?:[-a-z0-9]*[a-z0-9])?", 63),
    expected(
        "at most 63 lower-case letters, digits and '-', beginning with a letter, without dots, "
        "for example ai-inference"
    ),
]
"""RFC 1035 label: what Kubernetes asks of the name of a Service or Namespace."""

ServiceName = Annotated[
    str,
    _pattern("[a-z](?:[-a-z0-9]*[a-z0-9])?", 55),
    expected(
        "at most 55 lower-case letters, digits and '-', beginning with a letter, without dots, "
        "for example hy-mt-service"
    ),
]
"""A model's Service, with room for the suffix of the Service of a version: -primary is longest."""

ObjectName = Annotated[
    str,
    _pattern(rf"{_LABEL}(?:\.{_LABEL})*"),
    expected(
        "the name of an object that exists: lower-case letters, digits, '-' and '.', for example "
        "wildcard-tls"
    ),
]
"""RFC 1123 subdomain: the name of most objects, made by others."""

ModelName = Annotated[
    str,
    _pattern(rf"[a-z](?:[-a-z0-9]*[a-z0-9])?(?:\.{_LABEL})*", 52),
    expected(
        "at most 52 lower-case letters, digits, '-' and '.', beginning with a letter, "
        "for example deepseek-r1-1.5b"
    ),
]
"""A model's name: its Deployment's name, and with dashes for dots its Service's.

52 characters, so that pod names with the ReplicaSet's and the canary's suffix stay within 63.
"""

Hostname = Annotated[
    str,
    _pattern(rf"{_LABEL}(?:\.{_LABEL})+"),
    expected("a full host name in lower case, for example deepseek-api.example.com"),
]

Port = Annotated[
    int,
    Field(ge=1, le=65535, strict=True),
    expected("a port from 1 to 65535, for example 7860"),
]

Percent = Annotated[
    int, Field(ge=0, le=100, strict=True), expected("a whole percentage from 0 to 100")
]

Utilization = Annotated[
    int, Field(ge=1, le=100, strict=True), expected("a whole percentage from 1 to 100")
]

Count = Annotated[int, Field(ge=1, le=100_000, strict=True), expected("a whole number, 1 or more")]

Tokens = Annotated[
    int,
    Field(ge=1, le=10_000_000, strict=True),
    expected("a whole number of tokens, 1 or more"),
]

Fraction = Annotated[float, Field(gt=0, le=1), expected("a number above 0 and at most 1")]

Cpu = Annotated[
    str,
    BeforeValidator(_text),
    _pattern(r"[1-9][0-9]*m?|[1-9][0-9]*\.[0-9]{1,3}|0\.(?:[1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9])"),
    expected("CPU cores or thousandths of one, for example 4 or 500m"),
]

Memory = Annotated[
    str,
    BeforeValidator(_text),
    _pattern(r"[1-9][0-9]*(?:\.[0-9]+)?(?:[kMGT]|[KMGT]i)"),
    expected("a size with its unit, for example 16Gi"),
]

Duration = Annotated[
    str,
    _pattern(r"[1-9][0-9]{0,4}(?:ms|s|m|h)"),
    expected("a time of up to five digits and one unit of ms, s, m or h, for example 30s"),
]
"""Five digits are what the Gateway API takes (https://gateway-api.sigs.k8s.io/geps/gep-2257/)."""

UrlPath = Annotated[
    str,
    _pattern(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*"),
    expected("a path that begins with '/', for example /healthz"),
]

PathPattern = Annotated[
    str,
    _pattern(r"/[A-Za-z0-9._~!$&'()+,;=:@%/-]*\*?"),
    expected("a path that begins with '/', with '*' at most at its end, for example /v1/*"),
]

Image = Annotated[
    str,
    _pattern(
        r"[a-zA-Z0-9][a-zA-Z0-9._:/-]*(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})",
        512,
    ),
    expected("an image with a tag or digest, for example vllm/vllm-openai:v0.32.0"),
]
"""An image reference that says which version: a missing tag would mean `latest`, which moves."""

HubId = Annotated[
    str,
    _pattern(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*"),
    expected("a Hugging Face model id, for example deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"),
]

MinorVersion = Annotated[
    str,
    BeforeValidator(_text),
    _pattern(r"1\.[0-9]{1,3}"),
    expected("a Kubernetes minor version in quotes, for example '1.36'"),
]

LabelKey = Annotated[
    str,
    _pattern(rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"),
    expected("a Kubernetes label key, for example topology.kubernetes.io/zone"),
]

ExtendedResource = Annotated[
    str,
    _pattern(rf"{_LABEL}(?:\.{_LABEL})+/[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"),
    expected("a device plugin's resource with its domain, for example nvidia.com/gpu"),
]

LabelValue = Annotated[
    str,
    _pattern(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", 63),
    expected("a Kubernetes label value of at most 63 characters, for example hy-mt-translator"),
]

EnvName = Annotated[
    str,
    _pattern(r"[A-Za-z_][A-Za-z0-9_]*"),
    expected("an environment variable's name, for example LOG_LEVEL"),
]

Principal = Annotated[
    str,
    _pattern(r"[a-z0-9.-]+/ns/[a-z0-9-]+/sa/[a-z0-9.-]+"),
    expected(
        "a workload's identity as trust domain, namespace and service account, for example "
        "cluster.local/ns/default/sa/api-gateway"
    ),
]

Release = Annotated[
    str,
    _pattern(r"[0-9]+\.[0-9]+\.[0-9]+"),
    expected("a release of three numbers in quotes, for example '1.31.1'"),
]

HeaderName = Annotated[
    str,
    _pattern(r"[a-z0-9-]+"),
    expected("a header's name in lower case, for example x-model-version"),
]

HeaderValue = Annotated[
    str,
    _pattern(r"[ -~]+"),
    expected("a header's value in printable ASCII, for example canary"),
]


def seconds(duration: str) -> float:
    """Seconds of a duration: `500ms` is 0.5."""
    number, unit = re.fullmatch(r"([0-9]+)([a-z]+)", duration).groups()  # type: ignore[union-attr]
    return float(Decimal(number) * _SECONDS[unit])
