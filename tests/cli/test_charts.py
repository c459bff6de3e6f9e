"""Charts that the simulated cluster does not have: pulled once, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import charts
from cli.stack import CommandError, Stack
from tests.cli.test_main import assert_one_message, run

MODELS = """
  inference-mesh:models:
    translator: {preset: hy-mt1.5-1.8b, namespace: translation}
"""
HELM = """#!/bin/sh
for word; do case "$word" in --untardir=*) folder=${word#--untardir=} ;; esac; done
mkdir -p "$folder/$2" && echo "$@" > "$folder/$2/Chart.yaml"
"""


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm of the test, in the place of the real one; the user's cache is the test's too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(charts, "bin_dir", lambda: tmp_path)
    return program(tmp_path / "helm", HELM)


def program(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o755)
    return file


def linkerd(tmp_path: Path, charts: str = "") -> Stack:
    file = tmp_path / "stack.yaml"
    source = f"  inference-mesh:charts: {charts}\n" if charts else ""
    mesh = "  inference-mesh:mesh: {kind: linkerd}"
    file.write_text(f"config:\n{source}{mesh}{MODELS}")
    return Stack("stack", file)


def test_the_stack_of_every_istio_example_needs_no_chart_from_elsewhere(helm: Path) -> None:
    helm.unlink()
    for file in sorted(Path("examples").glob("*.yaml")):
        if "linkerd" not in file.name:
            assert charts.pull(Stack(file.stem, file)) == ()


def test_charts_are_pulled_from_their_repository_once(helm: Path, tmp_path: Path) -> None:
    folders = charts.pull(linkerd(tmp_path))
    assert {"linkerd-crds", "linkerd-control-plane"} <= {folder.name for folder in folders}
    for folder in folders:
        command = (folder / "Chart.yaml").read_text()
        assert command.startswith(f"pull {folder.name} --repo=https://helm.linkerd.io/edge ")
    helm.unlink()
    assert charts.pull(linkerd(tmp_path)) == folders


def test_a_mirror_of_the_stack_is_asked_instead(helm: Path, tmp_path: Path) -> None:
    program(helm, HELM.replace("$2", "${2##*/}"))
    first, *_ = charts.pull(linkerd(tmp_path, "oci://registry.example.com/charts"))
    command = (first / "Chart.yaml").read_text()
    assert command.startswith(f"pull oci://registry.example.com/charts/{first.name} --version=")


def test_a_folder_of_the_stack_is_used_as_it_is(helm: Path, tmp_path: Path) -> None:
    helm.unlink()
    folder = tmp_path / "charts"
    with pytest.raises(CommandError, match="has no chart linkerd-crds"):
        charts.pull(linkerd(tmp_path, str(folder)))
    for name in ("linkerd-crds", "linkerd-control-plane", "linkerd-viz"):
        (folder / name).mkdir(parents=True)
        (folder / name / "Chart.yaml").touch()
    assert folder / "linkerd-crds" in charts.pull(linkerd(tmp_path, str(folder)))


def test_a_chart_that_cannot_be_had_is_one_line(
    helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = r"linkerd-crds \S+ cannot be had from https://helm.linkerd.io/edge \({}\).*`charts`"
    program(helm, "#!/bin/sh\necho usage\necho 'Error: no such host' >&2\nexit 1\n")
    with pytest.raises(CommandError, match=where.format("no such host")) as error:
        charts.pull(linkerd(tmp_path))
    assert "\n" not in str(error.value)
    program(helm, "#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(charts, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(CommandError, match=where.format("no answer within 0.2 s")):
        charts.pull(linkerd(tmp_path))


def test_settings_that_are_wrong_are_left_to_the_program(helm: Path, tmp_path: Path) -> None:
    helm.unlink()
    file = tmp_path / "bad.yaml"
    file.write_text("config: {inference-mesh:mesh: {kind: none}}")
    assert charts.pull(Stack("bad", file)) == ()


@pytest.mark.cluster
def test_up_ends_with_one_line_before_it_touches_a_cluster(tmp_path: Path) -> None:
    stack = linkerd(tmp_path, "https://charts.invalid/edge")
    answer = run("up", str(stack.file), KUBECONFIG="")
    assert_one_message(answer, "linkerd-crds 2026.9.1 cannot be had from https://charts.invalid")
    assert len(answer.stderr.splitlines()) == 1
