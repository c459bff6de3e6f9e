"""The Pulumi CLI is looked for as the README says; what it does is tested where it is on PATH."""

import shutil
import urllib.error
from pathlib import Path

import pytest

from cli import pulumi

DOES_NOTHING = "#!/bin/sh\nexit 0\n"
FAILS = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH with the shell and nothing of Pulumi; no cache, no network."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def unreachable(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(pulumi.urllib.request, "urlopen", unreachable)
    return folder


def put(folder: Path, name: str, script: str = DOES_NOTHING) -> Path:
    file = folder / name
    file.write_text(script)
    file.chmod(0o755)
    return file


def test_without_cli_and_network_there_is_none(empty_path: Path) -> None:
    assert pulumi.find() is None


def test_the_cli_and_its_plugin_on_path_are_used(empty_path: Path) -> None:
    binary = put(empty_path, "pulumi", FAILS)
    put(empty_path, "pulumi-resource-kubernetes")
    assert pulumi.find() == binary


def test_a_plugin_that_pulumi_has_or_can_install_is_enough(empty_path: Path) -> None:
    binary = put(empty_path, "pulumi", DOES_NOTHING)
    assert pulumi.find() == binary


def test_a_cli_that_cannot_get_its_plugin_counts_as_none(empty_path: Path) -> None:
    put(empty_path, "pulumi", FAILS)
    assert pulumi.find() is None
