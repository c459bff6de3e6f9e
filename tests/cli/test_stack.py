from pathlib import Path

import pytest

from cli.stack import CommandError, Stack


def test_a_name_is_a_stack_file_of_the_project() -> None:
    assert Stack.find("prod") == Stack("prod", Path("Pulumi.prod.yaml"))


def test_a_path_is_that_file_and_the_stack_is_named_after_it() -> None:
    stack = Stack.find("examples/deepseek-istio.yaml")
    assert stack == Stack("deepseek-istio", Path("examples/deepseek-istio.yaml"))


def test_an_unknown_stack_is_told_which_there_are() -> None:
    with pytest.raises(CommandError, match=r"Pulumi\.staging\.yaml.*dev, local, prod.*examples/"):
        Stack.find("staging")


@pytest.mark.parametrize(
    ("text", "words"), [("config: [", "not valid YAML"), ("a: 1", "no `config:` map"), ("", "no")]
)
def test_a_file_that_is_no_stack_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=words):
        Stack("x", file).document()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("config: {}  # für später".encode("latin-1"))
    with pytest.raises(CommandError, match=r"x\.yaml is not valid YAML: .*utf-8"):
        Stack("x", file).document()
