"""What a user sees of bad input: one message, exit code 1, no traceback, nothing touched."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_one_message(answer: subprocess.CompletedProcess[str], words: str) -> None:
    assert answer.returncode == 1
    assert words in answer.stderr
    assert answer.stderr.startswith("error: ")
    assert "Traceback" not in answer.stderr + answer.stdout


def test_an_unknown_stack(tmp_path: Path) -> None:
    assert_one_message(run("render", "staging", "--out", str(tmp_path / "out")), "no stack file")


def test_a_bad_stack_file_names_every_problem_and_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "config:\n"
        "  inference-mesh:mesh: {kind: istioo}\n"
        "  inference-mesh:modles: {}\n"
        "  inference-mesh:models:\n"
        "    a: {namespace: x, preset: hy-mt1.5-1.8b, replicas: 0}\n"
        "    b: {namespace: x, preset: hy-mt1.5-1.8b, canary: {image: 'a/b:c', weight: 101}}\n"
    )
    answer = run("render", str(file), "--out", str(tmp_path / "out"))
    assert_one_message(answer, "the configuration has 4 problems:")
    for words in (
        "mesh: unknown kind 'istioo'; expected 'istio', 'linkerd'",
        "modles: unknown key; did you mean models?",
        "models.a.replicas: expected a whole number, 1 or more; got 0",
        "models.b.canary.weight: expected a whole percentage from 0 to 100; got 101",
    ):
        assert words in answer.stderr
    assert not (tmp_path / "out").exists()


def test_a_stack_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("config: {}  # für später".encode("latin-1"))
    for command in (["preview"], ["render", "--out", str(tmp_path / "out")]):
        assert_one_message(run(*command, str(file)), "latin.yaml is not valid YAML")


def test_more_than_one_kubeconfig(tmp_path: Path) -> None:
    several = os.pathsep.join((str(tmp_path / "one"), str(tmp_path / "two")))
    for command in ("preview", "up", "down"):
        answer = run(command, "prod", "--engine", "kubectl", KUBECONFIG=several)
        assert_one_message(answer, "need one kubeconfig file")


def test_an_unreachable_cluster(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    answer = run("up", "prod", "--engine", "kubectl", KUBECONFIG=str(kubeconfig))
    assert_one_message(answer, "cluster")


def test_a_chart_folder_without_charts(tmp_path: Path) -> None:
    file = tmp_path / "charts.yaml"
    file.write_text(
        f"config:\n  inference-mesh:mesh: {{kind: istio}}\n  inference-mesh:charts: {tmp_path}\n"
    )
    answer = run("render", str(file), "--out", str(tmp_path / "out"))
    assert_one_message(answer, "has no chart base, istiod")


def test_a_render_of_secrets_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    tls = tmp_path / "tls"
    tls.write_text("-----BEGIN CERTIFICATE-----\n")
    file = tmp_path / "tls.yaml"
    file.write_text(
        "config:\n  inference-mesh:mesh: {kind: istio}\n"
        "  inference-mesh:gateway: {host: a.example.com, "
        f"tls: {{certificateFile: {tls}, keyFile: {tls}}}}}\n"
    )
    answer = run("render", str(file), "--out", str(tmp_path / "out"))
    assert_one_message(answer, "SECRETS=external:")
    assert not (tmp_path / "out").exists()
