"""YAML as a person would write it: block style, the known order of keys, no anchors."""

from __future__ import annotations

import re
from typing import Any

import yaml

_FIRST = ("apiVersion", "kind", "metadata", "type", "spec")

# PyYAML leaves these unquoted, but readers of YAML 1.2, or of `y` as a truth value, see no string:
# https://github.com/yaml/pyyaml/issues/173
_MISREAD = re.compile(r"^([-+]?\.?[0-9][-+0-9_.eE]*|0[ox][0-9a-fA-F]+|[yYnN])$")


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _MISREAD.match(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def document(content: dict[str, Any]) -> str:
    """One YAML document, the same text for the same content."""
    first = {key: content[key] for key in _FIRST if key in content}
    text: str = yaml.dump(first | content, Dumper=_Dumper, sort_keys=False, width=2**20)
    return text


def documents(contents: list[dict[str, Any]]) -> str:
    """Several YAML documents in one text."""
    return "---\n".join(map(document, contents))
