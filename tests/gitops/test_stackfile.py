from __future__ import annotations

from pathlib import Path

import pytest

from gitops import stackfile
from gitops.errors import GitopsError


def write(folder: Path, text: str, name: str = "Pulumi.dev.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_values_are_handed_out_as_pulumi_hands_them_out(tmp_path: Path) -> None:
    path = write(tmp_path, "config:\n  inference-mesh:mesh: {kind: istio}\n  word: on\n  n: 3\n")
    assert stackfile.read(path).config == {
        "inference-mesh:mesh": '{"kind": "istio"}',
        "inference-mesh:word": "on",
        "inference-mesh:n": "3",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", '"no"'), ("12:30", '"12:30"'), ("2026-09-01", '"2026-09-01"'), ("0.5", "0.5")],
)
def test_only_what_yaml_1_2_calls_so_is_a_truth_value_or_a_number(
    tmp_path: Path, text: str, value: str
) -> None:
    path = write(tmp_path, f"config:\n  a: {{b: {text}}}\n")
    assert stackfile.read(path).config["inference-mesh:a"] == f'{{"b": {value}}}'


def test_the_name_is_that_of_the_stack_or_of_the_file(tmp_path: Path) -> None:
    assert stackfile.read(write(tmp_path, "config: {}")).name == "dev"
    assert stackfile.read(write(tmp_path, "", "deepseek-istio.yaml")).name == "deepseek-istio"


def test_all_encrypted_values_are_named_in_one_message(tmp_path: Path) -> None:
    path = write(
        tmp_path, "config:\n  a: {secure: v1:abc}\n  b: {models: [{token: {secure: v1:def}}]}\n"
    )
    with pytest.raises(GitopsError, match=r"Pulumi CLI.*\n  a\n  b\.models\.0\.token\n"):
        stackfile.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [", "not valid YAML"),
        ("config: {a: 1, a: 2}", "'a' is given twice"),
        ("config: 3", "expected `config:`"),
        ("- a", "expected `config:`"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GitopsError, match=message):
        stackfile.read(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitopsError, match=r"nothing\.yaml: No such file"):
        stackfile.read(tmp_path / "nothing.yaml")
