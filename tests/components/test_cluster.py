from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.cluster import ClusterUnreachableError, running_version

ANSWER = '{"major": "1", "minor": "35+"}'


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that notes its arguments and standard input, and answers version 1.35."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "kubectl"
    program.write_text(f"""#!/bin/sh
echo "$@" > {tmp_path}/arguments
cat > {tmp_path}/input
echo '{ANSWER}'
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_without_a_kubeconfig_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert running_version(None, None) is None


def test_the_running_version_is_the_servers_minor_version(kubectl: Path) -> None:
    assert running_version("cluster.yaml", None) == "1.35"


def test_the_cluster_of_the_environment_is_asked(
    kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = kubectl / "kubeconfig"
    kubeconfig.touch()
    monkeypatch.setenv("KUBECONFIG", f"{kubectl}/none{os.pathsep}{kubeconfig}")
    assert running_version(None, None) == "1.35"


def test_kubeconfig_and_context_are_those_of_the_provider(kubectl: Path) -> None:
    running_version("cluster.yaml", "blue")
    arguments = (kubectl / "arguments").read_text()
    assert arguments.startswith("get --raw=/version ")
    assert "--kubeconfig=cluster.yaml" in arguments
    assert "--context=blue" in arguments


def test_a_kubeconfig_may_be_given_as_text(kubectl: Path) -> None:
    assert running_version("apiVersion: v1\nkind: Config\n", None) == "1.35"
    assert (kubectl / "input").read_text() == "apiVersion: v1\nkind: Config\n"


def test_kubectl_cannot_ask_for_credentials_on_the_terminal(kubectl: Path) -> None:
    terminal, typing = os.pipe()
    kept = os.dup(0)
    os.write(typing, b"somebody types\n")
    os.close(typing)
    os.dup2(terminal, 0)
    try:
        running_version("cluster.yaml", None)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(terminal)
    assert (kubectl / "input").read_text() == ""


def test_a_missing_kubectl_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterUnreachableError, match="kubectl is not on PATH"):
        running_version("cluster.yaml", None)


def test_a_cluster_that_does_not_answer_is_said_in_kubectls_last_words(kubectl: Path) -> None:
    failing = kubectl / "bin" / "kubectl"
    failing.write_text("#!/bin/sh\necho first >&2\necho connection refused >&2\nexit 1\n")
    with pytest.raises(ClusterUnreachableError, match="does not answer: connection refused"):
        running_version("cluster.yaml", None)
