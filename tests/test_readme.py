"""What the README and the documents show is true."""

import re
from pathlib import Path

import pytest
import yaml

from stacks.comparison import COMPARISON_FILE, comparison_text
from stacks.load import from_mapping
from stacks.reference import REFERENCE_FILE, reference_text

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_its_stack_file_is_a_valid_one() -> None:
    blocks = re.findall(r"<!-- test: stack -->\n```yaml\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    config = yaml.safe_load(blocks[0])["config"]
    settings = from_mapping({key.partition(":")[2]: value for key, value in config.items()})
    assert list(settings.models) == ["deepseek-r1-1.5b"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_its_make_commands_exist(document: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE))
    assert named <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_files_that_it_names_exist(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"`((?:components|stacks|simcluster|examples|\.github)/[\w./-]+)`", text)
    named += re.findall(r"`(Pulumi\.[a-z]+\.yaml)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_reference_is_in_step_with_the_settings() -> None:
    assert REFERENCE_FILE.read_text() == reference_text(), "run `make schema`"


def test_the_comparison_of_meshes_is_in_step_with_what_they_refuse() -> None:
    assert COMPARISON_FILE.read_text() == comparison_text(), "run `make schema`"
