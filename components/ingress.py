"""The way in from outside the mesh: host, certificate and load balancer, whatever the mesh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from components.settings import Problem, Settings
from components.types import Hostname, LabelKey, ObjectName

NOT_FOUND = {
    "error": {
        "message": "No model is served here: no model has this path, or the name in the request.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }
}
"""What a gateway answers to a request for no model, with 404: in the shape of OpenAI's errors,
which its clients show."""


class TlsSettings(Settings):
    """Where the gateway's certificate comes from: exactly one of issuer, secret and files."""

    issuer: ObjectName | None = None
    """A cert-manager issuer that makes and renews it."""
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    secret: ObjectName | None = None
    """A kubernetes.io/tls Secret that exists in the gateway's namespace."""
    certificate_file: str | None = None
    """PEM file of the certificate and its chain, relative to the project; with keyFile."""
    key_file: str | None = None
    """PEM file of the private key, which must not be committed."""

    def problems(self) -> Iterator[Problem]:
        if (self.certificate_file is None) != (self.key_file is None):
            yield Problem((), "certificateFile and keyFile belong together; give both or neither")
        sources = [self.issuer, self.secret, self.certificate_file]
        if sum(source is not None for source in sources) != 1:
            yield Problem(
                (),
                "give exactly one source of the certificate: issuer (cert-manager), secret (one "
                "that exists), or certificateFile with keyFile",
            )
        for key, path in (("certificateFile", self.certificate_file), ("keyFile", self.key_file)):
            if path is not None and (reason := _file_problem(Path(path))):
                yield Problem((key,), reason)


def _file_problem(path: Path) -> str | None:
    if not path.is_file():
        return f"there is no file {path}; paths are relative to the project"
    if "-----BEGIN " not in path.read_text(errors="replace"):
        return f"{path} is not a PEM file, which has a line -----BEGIN ...; convert it by openssl"
    return None


class GatewaySettings(Settings):
    """The ingress gateway of a stack. HTTPS always; plain HTTP is redirected to it."""

    host: Hostname
    """Host name of the models that do not name their own, for example
    deepseek-api.example.com."""
    tls: TlsSettings
    annotations: dict[LabelKey, str] = Field(default_factory=dict)
    """Annotations of the load balancer's Service, as cloud providers read them."""


@dataclass(frozen=True)
class Hosts:
    """The gateway's hosts, by what their models ask of it."""

    all: tuple[str, ...]
    open: tuple[str, ...] = ()
    """No model takes what is left of it."""
    by_model: tuple[str, ...] = ()
    """The body of a request says which model it is for."""
    picked: tuple[str, ...] = ()
    """An endpoint picker chooses the pods."""
