"""Certificates of Linkerd's identity, checked as `linkerd check` does it, but before anything is
touched.

https://github.com/linkerd/linkerd2/blob/main/pkg/issuercerts/issuercerts.go
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from components.settings import Problem

SOON = timedelta(days=60)
"""Left time below which `linkerd check` warns."""

ROTATE = "rotate it as docs/linkerd.md says, under Rotation"
RSA_BITS = (2048, 4096)
"""Anchors may have RSA keys of these sizes; the issuer's may not."""


def problems(anchors: str, issuer: str, key: str, now: datetime) -> Iterator[Problem]:
    """Why proxies could not get certificates from this issuer, or would not trust them."""
    yield from anchor_problems(anchors, now)
    found = _parsed(issuer)
    if not found:
        yield Problem(("issuerCertificate",), _not_pem("the issuer's certificate"))
        return
    for reason in _issuer_problems(found[0], _parsed(anchors), now):
        yield Problem(("issuerCertificate",), reason)
    if wrong := _key_problem(found[0], key):
        yield Problem(("issuerKey",), wrong)


def anchor_problems(anchors: str, now: datetime) -> Iterator[Problem]:
    """Why these anchors could not be trusted."""
    found = _parsed(anchors)
    if not found:
        yield Problem(("anchors",), _not_pem("the trust anchor"))
    for anchor in found:
        for reason in (_validity_problem(anchor, now), _authority_problem(anchor), _anchor(anchor)):
            if reason:
                yield Problem(("anchors",), f"trust anchor {_name(anchor)} {reason}")


def warnings(anchors: str, issuer: str, now: datetime) -> Iterator[str]:
    """What is to be done soon, a line each."""
    named = [("trust anchor", anchor) for anchor in _parsed(anchors)]
    named += [("issuer's certificate", issuer) for issuer in _parsed(issuer)[:1]]
    for title, certificate in named:
        if now <= certificate.not_valid_after_utc < now + SOON:
            yield (
                f"Linkerd's {title} {_name(certificate)} expires on "
                f"{certificate.not_valid_after_utc:%Y-%m-%d}; {ROTATE}"
            )


def _issuer_problems(
    issuer: x509.Certificate, anchors: list[x509.Certificate], now: datetime
) -> Iterator[str]:
    if reason := _validity_problem(issuer, now) or _authority_problem(issuer):
        yield f"{_name(issuer)} {reason}"
    public = issuer.public_key()
    if not (isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1)):
        yield f"{_name(issuer)} has no ECDSA key on curve P-256, the only one that proxies take"
    if anchors and not any(_signed(issuer, anchor) for anchor in anchors):
        yield (
            f"none of the trust anchors signed {_name(issuer)}; add the one that did to the "
            "anchors, or sign it again"
        )


def _validity_problem(certificate: x509.Certificate, now: datetime) -> str | None:
    if certificate.not_valid_after_utc < now:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}; {ROTATE}"
    if certificate.not_valid_before_utc > now:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    return None


def _authority_problem(certificate: x509.Certificate) -> str | None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        if constraints.value.ca:
            return None
    except x509.ExtensionNotFound:
        pass
    return "is no certificate authority; make it with --profile root-ca or intermediate-ca"


def _anchor(certificate: x509.Certificate) -> str | None:
    public = certificate.public_key()
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size in RSA_BITS:
        return None
    return "has neither an ECDSA key on curve P-256 nor an RSA key of 2048 or 4096 bits"


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _key_problem(issuer: x509.Certificate, key: str) -> str | None:
    """Without a word of the key itself."""
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        return "is no PEM of a private key without a passphrase"
    if private.public_key() != issuer.public_key():
        return f"is not the key of {_name(issuer)}; give the one that it was made with"
    return None


def _parsed(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text; none where it is not one."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "without a name"


def _not_pem(what: str) -> str:
    return f"{what} is no PEM, which has a line -----BEGIN CERTIFICATE-----"
