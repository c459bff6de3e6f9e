"""Where Linkerd's identity comes from: the trust anchor that all trust, and the issuer that signs
for each pod.

https://linkerd.io/2-edge/tasks/automatically-rotating-control-plane-tls-credentials/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel

from components.mesh.linkerd import certificates
from components.secret import SecretText
from components.settings import Problem, Settings
from components.types import Duration, Name, ObjectName, seconds

Pem = Annotated[str, StringConstraints(min_length=1)]
"""One or more certificates in PEM; public."""

HOUR = 3600


class ProvidedIdentity(Settings):
    """Certificates of your own, made with `step` or taken from your PKI."""

    source: Literal["provided"]
    anchors: Pem
    """PEM of the trust anchor, or of two while it is rotated."""
    issuer_certificate: Pem
    """PEM of the issuer's certificate, which one of the anchors signed."""
    issuer_key: SecretText
    """PEM of the issuer's key, as a Pulumi secret."""

    def problems(self) -> Iterator[Problem]:
        yield from certificates.problems(
            self.anchors,
            self.issuer_certificate,
            self.issuer_key.get_secret_value(),
            datetime.now(UTC),
        )

    def warnings(self) -> Iterator[str]:
        yield from certificates.warnings(self.anchors, self.issuer_certificate, datetime.now(UTC))


class PulumiIdentity(Settings):
    """Certificates that Pulumi makes and keeps in its state, encrypted: ECDSA P-256.

    The issuer's certificate is renewed by the first `up` within its renewal window. An anchor is
    never replaced by itself, since proxies would stop trusting one another: add a second one.
    """

    source: Literal["pulumi"]
    anchors: Annotated[tuple[Name, ...], Field(min_length=1, max_length=2)] = ("a",)
    """Names of the trust anchors, yours to choose. Two while the anchor is rotated."""
    signer: Name | None = None
    """The anchor that signs the issuer's certificate. Default: the first."""
    anchor_validity: Duration = "87600h"
    """Ten years: rotating it means restarting every pod."""
    issuer_validity: Duration = "8760h"
    issuer_renewal: Duration = "2160h"
    """How long before its end the issuer's certificate is renewed by the next `up`."""

    def problems(self) -> Iterator[Problem]:
        if len(set(self.anchors)) != len(self.anchors):
            yield Problem(("anchors",), "two anchors have the same name; rename one")
        if self.signer is not None and self.signer not in self.anchors:
            yield Problem(
                ("signer",),
                f"{self.signer} is none of the anchors; expected one of {', '.join(self.anchors)}",
            )
        for field in ("anchor_validity", "issuer_validity", "issuer_renewal"):
            if seconds(getattr(self, field)) < HOUR:
                yield Problem((to_camel(field),), "expected at least an hour, for example 8760h")
        if seconds(self.issuer_renewal) >= seconds(self.issuer_validity):
            yield Problem(
                ("issuerRenewal",),
                f"{self.issuer_renewal} is not less than issuerValidity {self.issuer_validity}, so "
                "that every up would make a new certificate; lower it",
            )
        if seconds(self.issuer_validity) > seconds(self.anchor_validity):
            yield Problem(
                ("issuerValidity",),
                f"{self.issuer_validity} is more than anchorValidity {self.anchor_validity}, and "
                "no certificate outlives the one that signed it; lower it",
            )

    @property
    def signing_anchor(self) -> str:
        return self.signer or self.anchors[0]


class TrustBundle(Settings):
    """trust-manager collects the anchors and writes the control plane's ConfigMap."""

    kind: Literal["bundle"] = "bundle"
    secrets: tuple[ObjectName, ...] = ("linkerd-trust-anchor",)
    """Secrets in trust-manager's own namespace, the anchor's certificate below tls.crt. Two while
    the anchor is rotated, for example linkerd-previous-anchor: trust-manager waits for all."""
    anchors: Pem | None = None
    """PEM of further anchors, which are public."""

    def problems(self) -> Iterator[Problem]:
        if not self.secrets and self.anchors is None:
            yield Problem((), "a bundle of nothing; give secrets, or anchors")
        if self.anchors is not None:
            yield from certificates.anchor_problems(self.anchors, datetime.now(UTC))


class TrustConfigMap(Settings):
    """The ConfigMap linkerd-identity-trust-roots exists, with the anchors below ca-bundle.crt."""

    kind: Literal["configMap"]


class CertManagerIdentity(Settings):
    """cert-manager makes the issuer's certificate and renews it by itself."""

    source: Literal["cert-manager"] = "cert-manager"
    issuer: ObjectName = "linkerd-identity-issuer"
    """The cert-manager issuer that signs with the trust anchor."""
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    duration: Duration = "48h"
    renew_before: Duration = "25h"
    """Proxies ask for a certificate of their own each day, so that they have a day to do so."""
    trust: TrustBundle | TrustConfigMap = Field(default=TrustBundle(), discriminator="kind")
    """Where the control plane gets the trust anchors from."""

    def problems(self) -> Iterator[Problem]:
        if seconds(self.duration) < HOUR:
            yield Problem(
                ("duration",), f"{self.duration} is below 1h, the shortest of cert-manager"
            )
        if seconds(self.renew_before) >= seconds(self.duration):
            yield Problem(
                ("renewBefore",),
                f"{self.renew_before} is not less than duration {self.duration}; lower it",
            )


Identity = CertManagerIdentity | ProvidedIdentity | PulumiIdentity
