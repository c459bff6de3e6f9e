from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.chart import Chart
from components.kubernetes import KubernetesObject, Manifest
from components.mesh.linkerd import Linkerd
from components.mesh.linkerd.settings import LinkerdSettings
from tests.components.mesh.linkerd.pem import ANCHOR, ISSUER, authority, provided
from tests.components.recording import Deployment, Sealed, deployed, plain_texts
from tests.components.samples import linkerd

PULUMI = {"source": "pulumi"}


def identity(**settings: Any) -> dict[str, Manifest]:
    """The objects that the control plane needs, by kind."""
    parts = linkerd(identity=settings).install() if settings else linkerd().install()
    found = [part for part in parts if isinstance(part, dict) and part["kind"] != "Namespace"]
    return {item["kind"]: item for item in found}


def values(mesh: Linkerd) -> dict[str, Any]:
    (chart,) = (
        part
        for part in mesh.install()
        if isinstance(part, Chart) and part.name == "linkerd-control-plane"
    )
    return chart.values


def prepared(**settings: Any) -> Deployment:
    """What a mesh with this identity registers, its Secret and its chart's values included."""

    def program() -> None:
        made = linkerd(identity=settings).prepare(pulumi.ResourceOptions())
        for part in made.install():
            if isinstance(part, dict) and part["kind"] == "Secret":
                KubernetesObject(part)
        pulumi.export("anchors", values(made)["identityTrustAnchorsPEM"])

    return deployed(program)


def problems(**settings: Any) -> dict[str, str]:
    loaded = LinkerdSettings.model_validate({"kind": "linkerd", "identity": settings})
    return {".".join(path): message for path, message in loaded.all_problems()}


def test_by_default_cert_manager_makes_the_issuer_and_renews_it() -> None:
    spec = identity()["Certificate"]["spec"]
    assert spec["secretName"] == "linkerd-identity-issuer"
    assert spec["isCA"] is True
    assert spec["privateKey"] == {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
    assert spec["issuerRef"]["name"] == "linkerd-identity-issuer"
    assert (spec["duration"], spec["renewBefore"]) == ("48h0m0s", "25h0m0s")


def test_by_default_no_certificate_is_in_what_is_rendered() -> None:
    parts = linkerd().install()
    texts = [text for part in parts if isinstance(part, dict) for text in plain_texts(part)]
    texts += [
        text for part in parts if isinstance(part, Chart) for text in plain_texts(part.values)
    ]
    assert not any("BEGIN" in text for text in texts)
    assert parts == linkerd().install()


def test_the_control_plane_reads_a_secret_of_type_tls_and_trust_roots_of_others() -> None:
    assert values(linkerd())["identity"] == {
        "issuer": {"scheme": "kubernetes.io/tls"},
        "externalCA": True,
    }
    assert "identityTrustAnchorsPEM" not in values(linkerd())


def test_trust_manager_writes_the_config_map_that_the_control_plane_reads() -> None:
    bundle = identity()["Bundle"]
    assert bundle["metadata"] == {"name": "linkerd-identity-trust-roots"}
    assert bundle["spec"]["sources"] == [
        {"secret": {"name": "linkerd-trust-anchor", "key": "tls.crt"}}
    ]
    assert bundle["spec"]["target"] == {
        "configMap": {"key": "ca-bundle.crt"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "linkerd"}},
    }


def test_an_anchor_is_rotated_by_a_bundle_of_two() -> None:
    trust = {"secrets": ["linkerd-trust-anchor", "linkerd-previous-anchor"], "kind": "bundle"}
    sources = identity(source="cert-manager", trust=trust)["Bundle"]["spec"]["sources"]
    assert [source["secret"]["name"] for source in sources] == trust["secrets"]
    inline = {"kind": "bundle", "secrets": [], "anchors": ANCHOR.certificate}
    (source,) = identity(source="cert-manager", trust=inline)["Bundle"]["spec"]["sources"]
    assert source == {"inLine": ANCHOR.certificate}


def test_a_config_map_that_exists_is_left_to_its_owner() -> None:
    assert set(identity(source="cert-manager", trust={"kind": "configMap"})) == {"Certificate"}


def test_what_is_provided_goes_into_the_secret_that_the_control_plane_reads() -> None:
    secret = prepared(**provided()).one("Secret", "linkerd-identity-issuer").inputs
    assert secret["type"] == "kubernetes.io/tls"
    assert set(secret["stringData"]) == {"ca.crt", "tls.crt", "tls.key"}
    assert secret["stringData"]["tls.key"] == Sealed(ISSUER.key)


def test_a_key_stands_nowhere_in_plain_text() -> None:
    mesh = linkerd(identity=provided())
    assert ISSUER.key not in repr(mesh)
    for resource in prepared(**provided()).resources:
        assert not any("PRIVATE KEY" in text for text in plain_texts(resource.inputs))


def test_what_is_provided_is_checked_before_anything_is_touched() -> None:
    wrong = authority("other")
    assert set(problems(**provided())) == set()
    assert set(problems(**provided(issuer=wrong))) == {"identity.issuerCertificate"}
    assert set(problems(**provided(anchors="x"))) == {"identity.anchors"}


def test_pulumi_makes_an_anchor_and_an_issuer_that_it_signs() -> None:
    made = prepared(**PULUMI)
    keys = [resource.inputs for resource in made.all("PrivateKey")]
    assert keys == [{"algorithm": "ECDSA", "ecdsaCurve": "P256"}] * 2
    anchor = made.one("SelfSignedCert").inputs
    assert (anchor["isCaCertificate"], anchor["validityPeriodHours"]) == (True, 87600)
    issuer = made.one("LocallySignedCert").inputs
    assert (issuer["isCaCertificate"], issuer["validityPeriodHours"]) == (True, 8760)
    assert issuer["earlyRenewalHours"] == 2160
    assert "earlyRenewalHours" not in anchor


def test_a_made_key_reaches_the_control_plane_sealed() -> None:
    secret = prepared(**PULUMI).one("Secret", "linkerd-identity-issuer").inputs
    assert isinstance(secret["stringData"]["tls.key"], Sealed)


def test_a_made_anchor_is_rotated_by_config_alone() -> None:
    both = prepared(**PULUMI, anchors=["a", "b"])
    assert [r.name for r in both.all("SelfSignedCert")] == ["linkerd-anchor-a", "linkerd-anchor-b"]
    signed = prepared(**PULUMI, anchors=["a", "b"], signer="b")
    authority_key = {resource.name: resource.inputs for resource in signed.all("SelfSignedCert")}
    assert set(authority_key) == {"linkerd-anchor-a", "linkerd-anchor-b"}
    # The new signer is another resource, so that the first anchor stays as it is.
    depends = signed.one("LocallySignedCert").dependencies
    assert any(urn.endswith("SelfSignedCert::linkerd-anchor-b") for urn in depends)
    assert not any(urn.endswith("SelfSignedCert::linkerd-anchor-a") for urn in depends)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"anchors": ["a", "a"]}, "identity.anchors"),
        ({"signer": "c"}, "identity.signer"),
        ({"issuerRenewal": "8760h"}, "identity.issuerRenewal"),
        ({"issuerValidity": "90000h"}, "identity.issuerValidity"),
        (
            {"anchorValidity": "30m", "issuerValidity": "20m", "issuerRenewal": "10m"},
            "identity.anchorValidity",
        ),
    ],
)
def test_periods_and_names_of_made_certificates_fit(settings: dict[str, Any], path: str) -> None:
    assert path in problems(**PULUMI, **settings)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"duration": "30m", "renewBefore": "10m"}, "identity.duration"),
        ({"renewBefore": "48h"}, "identity.renewBefore"),
        ({"trust": {"kind": "bundle", "secrets": []}}, "identity.trust"),
        ({"trust": {"kind": "bundle", "anchors": "x"}}, "identity.trust.anchors"),
    ],
)
def test_periods_and_sources_of_cert_manager_fit(settings: dict[str, Any], path: str) -> None:
    assert path in problems(source="cert-manager", **settings)
