"""Linkerd's certificates as resources of Pulumi, which keeps them in its state, encrypted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pulumi

from components.mesh.linkerd import certificates
from components.mesh.linkerd.identity import PulumiIdentity
from components.mesh.linkerd.issuer import COMMON_NAME, Credentials, hours

if TYPE_CHECKING:
    import pulumi_tls as tls

CURVE = "P256"
AUTHORITY = ["cert_signing", "crl_signing"]


def credentials(
    identity: PulumiIdentity, trust_domain: str, opts: pulumi.ResourceOptions
) -> Credentials:
    """The anchors, and the issuer's certificate, which the chosen one signs."""
    anchors = {name: _anchor(name, identity, trust_domain, opts) for name in identity.anchors}
    issuer_key = _key("linkerd-issuer", opts)
    certificate = _issuer(identity, trust_domain, issuer_key, anchors, opts)
    pems = pulumi.Output.all(*[anchor.cert_pem for _, anchor in anchors.values()])
    bundle = pems.apply("".join).apply(_checked)
    return Credentials(bundle, certificate, issuer_key.private_key_pem)


def _checked(bundle: str) -> str:
    """An anchor that is in the state already, and is to be rotated soon, is said at each plan."""
    for line in certificates.warnings(bundle, "", datetime.now(UTC)):
        pulumi.log.warn(line)
    return bundle


Anchor = tuple["tls.PrivateKey", "tls.SelfSignedCert"]


def _anchor(
    name: str, identity: PulumiIdentity, trust_domain: str, opts: pulumi.ResourceOptions
) -> Anchor:
    # Only for stacks that want certificates made: the others need no tls provider.
    import pulumi_tls as tls

    key = _key(f"linkerd-anchor-{name}", opts)
    certificate = tls.SelfSignedCert(
        f"linkerd-anchor-{name}",
        private_key_pem=key.private_key_pem,
        is_ca_certificate=True,
        set_subject_key_id=True,
        allowed_uses=AUTHORITY,
        subject=tls.SelfSignedCertSubjectArgs(common_name=f"root.linkerd.{trust_domain}"),
        validity_period_hours=hours(identity.anchor_validity),
        opts=opts,
    )
    return key, certificate


def _issuer(
    identity: PulumiIdentity,
    trust_domain: str,
    key: tls.PrivateKey,
    anchors: dict[str, Anchor],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    import pulumi_tls as tls

    name = COMMON_NAME.format(trust_domain=trust_domain)
    request = tls.CertRequest(
        "linkerd-issuer",
        private_key_pem=key.private_key_pem,
        subject=tls.CertRequestSubjectArgs(common_name=name),
        dns_names=[name],
        opts=opts,
    )
    anchor_key, anchor = anchors[identity.signing_anchor]
    return tls.LocallySignedCert(
        "linkerd-issuer",
        cert_request_pem=request.cert_request_pem,
        ca_private_key_pem=anchor_key.private_key_pem,
        ca_cert_pem=anchor.cert_pem,
        is_ca_certificate=True,
        set_subject_key_id=True,
        allowed_uses=AUTHORITY,
        validity_period_hours=hours(identity.issuer_validity),
        early_renewal_hours=hours(identity.issuer_renewal),
        opts=opts,
    ).cert_pem


def _key(name: str, opts: pulumi.ResourceOptions) -> tls.PrivateKey:
    import pulumi_tls as tls

    return tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve=CURVE, opts=opts)
