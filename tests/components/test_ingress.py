from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.ingress import GatewaySettings, TlsSettings


def problems(**settings: Any) -> dict[str, str]:
    found = TlsSettings.model_validate(settings).all_problems()
    return {".".join(path): message for path, message in found}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A certificate and a key."""
    paths = {"certificateFile": tmp_path / "tls.crt", "keyFile": tmp_path / "tls.key"}
    for path in paths.values():
        path.write_text("-----BEGIN X-----\n")
    return {key: str(path) for key, path in paths.items()}


def test_each_source_of_a_certificate_is_enough(files: dict[str, str]) -> None:
    assert problems(issuer="letsencrypt") == {}
    assert problems(secret="certificate") == {}
    assert problems(**files) == {}


def test_no_source_and_two_sources_are_refused(files: dict[str, str]) -> None:
    assert "exactly one" in problems()[""]
    assert "exactly one" in problems(issuer="letsencrypt", secret="certificate")[""]
    assert "exactly one" in problems(issuer="letsencrypt", **files)[""]


def test_a_certificate_without_its_key_is_refused(files: dict[str, str]) -> None:
    assert "belong together" in problems(certificateFile=files["certificateFile"])[""]


def test_missing_files_are_named_each(files: dict[str, str]) -> None:
    found = problems(certificateFile="no.crt", keyFile="no.key")
    assert "no.crt" in found["certificateFile"]
    assert "no.key" in found["keyFile"]


def test_a_certificate_that_is_not_pem_is_refused(files: dict[str, str]) -> None:
    Path(files["certificateFile"]).write_bytes(b"\x30\x82\x01\x0a\xff")
    assert "not a PEM file" in problems(**files)["certificateFile"]


def test_the_host_is_a_full_name() -> None:
    with pytest.raises(ValueError, match="full host name"):
        GatewaySettings.model_validate({"host": "localhost", "tls": {"issuer": "x"}})
