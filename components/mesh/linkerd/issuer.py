"""The issuer and the trust anchors, as the control plane reads them.

The issuer's certificate and key are in a Secret of type kubernetes.io/tls whatever their source, so
that no key stands in the values of a chart. The anchors are public.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.chart import Values
from components.kubernetes import Manifest, manifest
from components.mesh.linkerd.identity import (
    HOUR,
    CertManagerIdentity,
    Identity,
    ProvidedIdentity,
    TrustBundle,
    TrustConfigMap,
)
from components.types import Principal, seconds

NAMESPACE = "linkerd"
ISSUER_SECRET = "linkerd-identity-issuer"  # noqa: S105
TRUST_ROOTS = "linkerd-identity-trust-roots"
"""The names that the control plane expects."""

COMMON_NAME = "identity.linkerd.{trust_domain}"


@dataclass(frozen=True)
class Credentials:
    """What proxies trust, and what the control plane signs with."""

    anchors: pulumi.Input[str]
    """PEM of all trust anchors."""
    certificate: pulumi.Input[str]
    """PEM of the issuer's certificate."""
    key: pulumi.Input[str]
    """PEM of the issuer's key: secret."""


def provided(identity: ProvidedIdentity) -> Credentials:
    key = pulumi.Output.secret(identity.issuer_key.get_secret_value())
    return Credentials(identity.anchors, identity.issuer_certificate, key)


def values(identity: Identity, credentials: Credentials | None) -> Values:
    """What the control plane's chart is told; a mesh not yet prepared has no credentials."""
    issuer = {"issuer": {"scheme": "kubernetes.io/tls"}}
    if isinstance(identity, CertManagerIdentity):
        return {"identity": issuer | {"externalCA": True}}
    anchors = {"identityTrustAnchorsPEM": credentials.anchors} if credentials else {}
    return {"identity": issuer} | anchors


def manifests(
    identity: Identity,
    credentials: Credentials | None,
    trust_domain: str,
) -> tuple[Manifest, ...]:
    """What has to be there before the control plane: its pods wait for it."""
    if isinstance(identity, CertManagerIdentity):
        return (_certificate(identity, trust_domain), *_trust(identity.trust))
    return (_issuer_secret(credentials),) if credentials else ()


def _certificate(identity: CertManagerIdentity, trust_domain: str) -> Manifest:
    name = COMMON_NAME.format(trust_domain=trust_domain)
    spec = {
        "secretName": ISSUER_SECRET,
        "commonName": name,
        "dnsNames": [name],
        "isCA": True,
        "duration": go_duration(identity.duration),
        "renewBefore": go_duration(identity.renew_before),
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["cert sign", "crl sign", "server auth", "client auth"],
        "issuerRef": {
            "name": identity.issuer,
            "kind": identity.issuer_kind,
            "group": "cert-manager.io",
        },
    }
    return manifest("cert-manager.io/v1", "Certificate", ISSUER_SECRET, NAMESPACE, spec=spec)


def _trust(trust: TrustBundle | TrustConfigMap) -> tuple[Manifest, ...]:
    """The Bundle's name is that of the ConfigMap which trust-manager writes."""
    if isinstance(trust, TrustConfigMap):
        return ()
    sources: list[dict[str, Any]] = [
        {"secret": {"name": name, "key": "tls.crt"}} for name in trust.secrets
    ]
    if trust.anchors is not None:
        sources.append({"inLine": trust.anchors})
    target = {
        "configMap": {"key": "ca-bundle.crt"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
    }
    spec = {"sources": sources, "target": target}
    return (manifest("trust.cert-manager.io/v1alpha1", "Bundle", TRUST_ROOTS, spec=spec),)


def _issuer_secret(credentials: Credentials) -> Manifest:
    pem = {
        "ca.crt": credentials.anchors,
        "tls.crt": credentials.certificate,
        "tls.key": pulumi.Output.secret(credentials.key),
    }
    return manifest(
        "v1", "Secret", ISSUER_SECRET, NAMESPACE, type="kubernetes.io/tls", stringData=pem
    )


def of_workload(namespace: str, account: str, trust_domain: str) -> str:
    """The name in a pod's certificate; `*` for any of a namespace.

    https://linkerd.io/2-edge/features/automatic-mtls/
    """
    return f"{account}.{namespace}.serviceaccount.identity.{NAMESPACE}.{trust_domain}"


def of_principal(principal: Principal) -> str:
    domain, _, namespace, _, account = principal.split("/")
    return of_workload(namespace, account, domain)


def hours(duration: str) -> int:
    return int(seconds(duration) // HOUR)


def go_duration(duration: str) -> str:
    """As the API server hands cert-manager's durations back, so that nothing seems to change."""
    total = int(seconds(duration))
    return f"{total // HOUR}h{total % HOUR // 60}m{total % 60}s"
