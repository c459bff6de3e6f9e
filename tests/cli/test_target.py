from pathlib import Path

import pytest

from cli import target
from cli.stack import CommandError, Stack


@pytest.fixture
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)


def stack(tmp_path: Path, name: str, config: str) -> Stack:
    file = tmp_path / f"{name}.yaml"
    file.write_text(f"config: {config}")
    return Stack(name, file)


@pytest.mark.usefixtures("no_kubeconfig")
def test_a_stack_goes_to_the_simulated_cluster_unless_a_cluster_is_named(tmp_path: Path) -> None:
    assert target.is_simulated(stack(tmp_path, "prod", "{}"))
    assert not target.is_simulated(stack(tmp_path, "prod", "{'kubernetes:context': prod}"))
    assert not target.is_simulated(stack(tmp_path, "prod", "{'kubernetes:kubeconfig': /k}"))


def test_kubeconfig_names_a_cluster_for_all_but_the_local_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    assert not target.is_simulated(stack(tmp_path, "prod", "{}"))
    assert target.is_simulated(stack(tmp_path, "local", "{}"))


def test_a_kubeconfig_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="there is no kubeconfig"):
        target.find(stack(tmp_path, "prod", "{}"))
