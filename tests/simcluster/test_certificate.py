from __future__ import annotations

from pathlib import Path

from cryptography import x509

from simcluster import certificate


def test_the_certificate_is_for_local_names_and_its_files_are_private(tmp_path: Path) -> None:
    certificate.write(tmp_path / "tls")
    made = x509.load_pem_x509_certificate((tmp_path / "tls" / "tls.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(certificate.NAMES)
    assert made.not_valid_after_utc - made.not_valid_before_utc == certificate.VALID
    for file in ("tls.crt", "tls.key"):
        assert (tmp_path / "tls" / file).stat().st_mode & 0o777 == 0o600
