import json
import os
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


@pytest.mark.parametrize(
    "given",
    [
        {"secure": "v1:abc"},
        "apiVersion: v1\nkind: Config\n",
        json.dumps({"apiVersion": "v1", "kind": "Config"}),
        os.pathsep.join(("/one", "/two")),
    ],
    ids=["secret", "content", "content in JSON", "several files"],
)
@pytest.mark.usefixtures("no_kubeconfig")
def test_a_kubeconfig_that_is_no_file_is_refused_with_the_way_out(
    tmp_path: Path, given: object
) -> None:
    config = json.dumps({"kubernetes:kubeconfig": given})
    with pytest.raises(CommandError, match=r"one kubeconfig file.*kubernetes:context.*pulumi up"):
        target.find(stack(tmp_path, "prod", config))


def test_several_kubeconfigs_in_the_environment_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(("/one", "/two")))
    with pytest.raises(CommandError, match="one kubeconfig file: set KUBECONFIG"):
        target.find(stack(tmp_path, "prod", "{}"))


def test_one_kubeconfig_is_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "other"))
    config = json.dumps({"kubernetes:kubeconfig": str(kubeconfig), "kubernetes:context": "blue"})
    found = target.find(stack(tmp_path, "prod", config))
    assert (found.kubeconfig, found.context, found.simulated) == (kubeconfig, "blue", False)
