from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from simcluster import gomod, toolchain
from simcluster.reporting import SimulationError
from simcluster.toolchain import TOOLS, Source, Tool


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "inference-mesh"


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(gomod.TOOLS, tmp_path / "tools")
    monkeypatch.setattr(gomod, "TOOLS", tmp_path / "tools")
    return tmp_path / "tools"


def test_every_tool_has_a_pinned_version() -> None:
    for tool in TOOLS:
        assert tool.version.startswith("v")
        assert (gomod.TOOLS / tool.pin[0] / "go.sum").exists()


def test_kubernetes_components_know_their_version() -> None:
    apiserver = next(tool for tool in TOOLS if tool.name == "kube-apiserver")
    assert f"version.gitVersion={apiserver.version}" in apiserver.ldflags
    assert "version.gitMinor=36" in apiserver.ldflags


def test_keys_differ_by_tool_and_by_flags() -> None:
    keys = {tool.key() for tool in TOOLS}
    assert len(keys) == len(TOOLS)
    assert replace(TOOLS[0], tags="other").key() not in keys


def test_a_changed_sum_asks_for_another_build(pins: Path) -> None:
    before = {tool.name: tool.key() for tool in TOOLS}
    with (pins / "helm" / "go.sum").open("a") as sums:
        sums.write("\n")
    changed = {tool.name for tool in TOOLS if tool.key() != before[tool.name]}
    assert changed == {"helm"}


def test_an_artefact_is_made_once_and_a_crash_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    made: list[Path] = []

    def crash_then_make(self: Source, target: Path) -> None:
        made.append(target)
        target.mkdir()
        if len(made) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Source, "make", crash_then_make)
    with pytest.raises(KeyboardInterrupt):
        toolchain.source_dir(toolchain.STAGES)
    assert list((cache / "store").iterdir()) == []
    assert toolchain.source_dir(toolchain.STAGES).is_dir()
    assert toolchain.source_dir(toolchain.STAGES).is_dir()
    assert len(made) == 2


def test_a_build_that_fails_says_why_and_where_the_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "go"
    broken.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(gomod, "go", lambda: str(broken))
    with pytest.raises(SimulationError, match=r"building etcd failed: no such package .*etcd\.log"):
        Tool("etcd", toolchain.ETCD, "x").make(tmp_path / "etcd")


def test_a_module_that_is_not_pinned_is_reported() -> None:
    with pytest.raises(SimulationError, match="does not pin"):
        gomod.version("etcd", "example.com/none")
