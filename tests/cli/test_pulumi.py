"""The Pulumi CLI is looked for as the README says; what it does is tested where it is on PATH."""

import shutil
import urllib.error
from pathlib import Path

import pytest

from cli import pulumi
from cli.stack import CommandError, Stack
from cli.target import Target

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


@pytest.fixture
def engine(tmp_path: Path) -> pulumi.PulumiEngine:
    """Pulumi on a cluster of the user's own; what it is called with is written into `said`."""
    binary = put(tmp_path, "pulumi", f'#!/bin/sh\necho "$@" >> {tmp_path}/said\n')
    stack = Stack("prod", Path("Pulumi.prod.yaml"))
    return pulumi.PulumiEngine(binary, Target(tmp_path / "kubeconfig", None, stack, False))


def said(engine: pulumi.PulumiEngine) -> list[str]:
    """Options of the last call, behind the stack and its file."""
    select, call = (engine.binary.parent / "said").read_text().splitlines()
    assert select.endswith("stack select --create prod")
    return call.partition("--config-file Pulumi.prod.yaml")[2].split()


@pytest.mark.parametrize(
    ("attended", "options"),
    [(True, ["--refresh"]), (False, ["--refresh", "--skip-preview", "--yes"])],
)
def test_up_mends_what_was_changed_by_hand_and_asks_where_somebody_can_answer(
    engine: pulumi.PulumiEngine,
    monkeypatch: pytest.MonkeyPatch,
    attended: bool,
    options: list[str],
) -> None:
    monkeypatch.setattr(pulumi.sys.stdin, "isatty", lambda: attended)
    engine.up()
    assert said(engine) == options


def test_a_preview_shows_the_differences(engine: pulumi.PulumiEngine) -> None:
    engine.preview()
    assert said(engine) == ["--diff"]


def test_a_failure_of_pulumi_is_one_message(engine: pulumi.PulumiEngine) -> None:
    put(engine.binary.parent, "pulumi", FAILS)
    with pytest.raises(CommandError, match="pulumi up of stack prod failed: see above"):
        engine.up()
