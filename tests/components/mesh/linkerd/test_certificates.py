from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from components.mesh.linkerd import certificates
from tests.components.mesh.linkerd.pem import ANCHOR, ISSUER, NOW, YEAR, Pair, authority

OTHER = authority("other")


def messages(anchors: str = ANCHOR.certificate, issuer: Pair = ISSUER) -> dict[str, str]:
    found = certificates.problems(anchors, issuer.certificate, issuer.key, NOW)
    return {".".join(path): message for path, message in found}


def test_a_sound_anchor_and_issuer_have_no_problems_and_no_warnings() -> None:
    assert messages() == {}
    assert list(certificates.warnings(ANCHOR.certificate, ISSUER.certificate, NOW)) == []


def test_what_has_expired_is_said_with_its_day_and_the_way_out() -> None:
    old = authority("root", ends=-timedelta(hours=1))
    message = messages(old.certificate, authority("issuer", old))["anchors"]
    assert "trust anchor CN=root expired on 20" in message
    assert "rotate it as docs/linkerd.md says" in message
    late = authority("late", ANCHOR, ends=-timedelta(hours=1))
    assert "CN=late expired on 20" in messages(issuer=late)["issuerCertificate"]


def test_what_is_not_valid_yet_is_refused() -> None:
    early = authority("early", ANCHOR, begins=timedelta(hours=1))
    assert "is not valid before 20" in messages(issuer=early)["issuerCertificate"]


@pytest.mark.parametrize("days", [1, 59])
def test_what_expires_within_60_days_is_a_warning_that_says_how_to_rotate(days: int) -> None:
    soon = authority("soon", ANCHOR, ends=timedelta(days=days))
    (line,) = certificates.warnings(ANCHOR.certificate, soon.certificate, NOW)
    assert line.startswith("Linkerd's issuer's certificate CN=soon expires on 20")
    assert line.endswith("rotate it as docs/linkerd.md says, under Rotation")
    assert messages(issuer=soon) == {}


def test_what_lasts_longer_is_none() -> None:
    later = authority("later", ANCHOR, ends=timedelta(days=61))
    assert list(certificates.warnings(ANCHOR.certificate, later.certificate, NOW)) == []


def test_the_issuer_is_on_curve_p_256() -> None:
    wrong = authority("wrong", ANCHOR, curve=ec.SECP384R1())
    assert "curve P-256" in messages(issuer=wrong)["issuerCertificate"]
    assert (
        "curve P-256"
        in messages(issuer=authority("rsa", ANCHOR, rsa_bits=2048))["issuerCertificate"]
    )


def test_an_anchor_is_on_curve_p_256_or_rsa() -> None:
    wrong = authority("wrong", curve=ec.SECP384R1())
    assert (
        "neither an ECDSA key on curve P-256"
        in messages(wrong.certificate, authority("issuer", wrong))["anchors"]
    )
    old = authority("old", rsa_bits=2048)
    assert messages(old.certificate, authority("issuer", old)) == {}


def test_both_are_authorities() -> None:
    leaf = authority("leaf", ANCHOR, ca=False)
    assert "is no certificate authority" in messages(issuer=leaf)["issuerCertificate"]
    root = authority("root", ca=False)
    assert "is no certificate authority" in messages(root.certificate)["anchors"]


def test_one_of_the_anchors_signed_the_issuer() -> None:
    assert "none of the trust anchors signed" in messages(OTHER.certificate)["issuerCertificate"]
    # Of two in a bundle either may have: that is how an anchor is rotated.
    assert messages(OTHER.certificate + ANCHOR.certificate) == {}
    assert messages(ANCHOR.certificate + OTHER.certificate, authority("new", OTHER)) == {}


def test_the_key_is_the_issuers() -> None:
    message = messages(issuer=Pair(ISSUER.certificate, OTHER.key))["issuerKey"]
    assert message.startswith("is not the key of CN=identity.linkerd.cluster.local")


@pytest.mark.parametrize("key", ["", "secret words", ISSUER.certificate])
def test_what_is_no_key_is_not_repeated(key: str) -> None:
    message = messages(issuer=Pair(ISSUER.certificate, key))["issuerKey"]
    assert message == "is no PEM of a private key without a passphrase"


def test_what_is_no_certificate_is_said() -> None:
    assert "is no PEM" in messages("anchor")["anchors"]
    assert "is no PEM" in messages(issuer=Pair("issuer", ISSUER.key))["issuerCertificate"]


def test_an_anchor_outlives_the_warning() -> None:
    assert timedelta(days=60) == certificates.SOON < YEAR
