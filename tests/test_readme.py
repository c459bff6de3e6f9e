"""What the README and the documents show is true."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.model.settings import ModelSettings
from stacks.comparison import COMPARISON_FILE, comparison_text
from stacks.errors import ConfigurationError
from stacks.load import from_mapping
from stacks.reference import REFERENCE_FILE, reference_text
from tests.components.samples import NAME, model_settings, stack_mapping

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
YAML = re.compile(r"^ *```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_its_stack_file_is_a_valid_one() -> None:
    blocks = re.findall(r"<!-- test: stack -->\n```yaml\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    config = yaml.safe_load(blocks[0])["config"]
    settings = from_mapping({key.partition(":")[2]: value for key, value in config.items()})
    assert list(settings.models) == ["deepseek-r1-1.5b"]


def fragments() -> list[Any]:
    """The YAML of the documents, each piece with where it stands, but for objects of Kubernetes."""
    found = []
    for document in DOCUMENTS:
        for number, block in enumerate(YAML.findall(document.read_text()), 1):
            text = textwrap.dedent(block)
            if "apiVersion:" not in text:
                keys = re.findall(r"^\w\S*:", text, re.MULTILINE)
                pieces = text.splitlines() if len(set(keys)) < len(keys) else [text]
                found += [pytest.param(p, id=f"{document.name}-{number}") for p in pieces]
    return found


def stack_with(fragment: dict[str, Any]) -> dict[str, Any]:
    """A small stack that also says what the fragment does: of itself, or of its models."""
    if "config" in fragment:
        stack = {key.partition(":")[2]: value for key, value in fragment["config"].items()}
        names = stack.get("namespaces", {})
        models = {f"in-{name}": model_settings(namespace=name, route=None) for name in names}
        return stack_mapping(models or None) | stack
    if fragment.keys() <= ModelSettings.model_json_schema(by_alias=True)["properties"].keys():
        return stack_mapping({NAME: model_settings(**fragment)})
    return stack_mapping({name: model_settings(**model) for name, model in fragment.items()})


@pytest.mark.parametrize("text", fragments())
def test_the_settings_that_it_shows_are_valid_on_a_mesh_that_has_them(text: str) -> None:
    stack = stack_with(yaml.safe_load(text))
    meshes = [stack["mesh"], {"kind": "istio", "dataPlane": "ambient"}, {"kind": "linkerd"}]
    refused = []
    for mesh in meshes:
        try:
            from_mapping(stack | {"mesh": mesh})
        except ConfigurationError as error:
            refused.append(str(error))
    assert len(refused) < len(meshes), refused


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
