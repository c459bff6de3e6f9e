"""Certificates for tests: an anchor, an issuer that it signed, and such as are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str


def authority(
    name: str,
    by: Pair | None = None,
    *,
    curve: ec.EllipticCurve | None = None,
    rsa_bits: int | None = None,
    ca: bool = True,
    begins: timedelta = -timedelta(days=1),
    ends: timedelta = YEAR,
) -> Pair:
    """A certificate signed by another, or by itself."""
    key: Any
    if rsa_bits:
        key = rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
    else:
        key = ec.generate_private_key(curve or ec.SECP256R1())
    signer: Any = key
    issuer = subject = _name(name)
    if by:
        signer = serialization.load_pem_private_key(by.key.encode(), password=None)
        issuer = x509.load_pem_x509_certificate(by.certificate.encode()).subject
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + begins)
        .not_valid_after(NOW + ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


ANCHOR = authority("root.linkerd.cluster.local")
ISSUER = authority("identity.linkerd.cluster.local", ANCHOR)


def provided(anchors: str | None = None, issuer: Pair = ISSUER) -> dict[str, str]:
    """The setting `identity` with certificates of one's own."""
    return {
        "source": "provided",
        "anchors": ANCHOR.certificate if anchors is None else anchors,
        "issuerCertificate": issuer.certificate,
        "issuerKey": issuer.key,
    }
