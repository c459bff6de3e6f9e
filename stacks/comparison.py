"""What each mesh can do, written from the tables by which the settings refuse the rest."""

from __future__ import annotations

from pathlib import Path

from components.mesh.features import FEATURES
from stacks.mesh import LACKS

COMPARISON_FILE = Path(__file__).parent.parent / "docs" / "meshes.md"
"""The comparison as committed; a test holds it against the tables."""

_HEAD = """\
# Meshes

The same models run on every mesh; `mesh` alone changes. What is not in this table every mesh does.
What a mesh cannot do is refused before anything is touched, with the reason below. Written from the
tables that refuse it (`components/mesh/features.py`, and `capabilities.py` of each mesh) by
`make schema`.
"""


def comparison_text() -> str:
    titles = list(LACKS)
    rows = [
        f"| feature | setting of a model | {' | '.join(titles)} |",
        f"{'|---' * (2 + len(titles))}|",
    ]
    for feature in FEATURES:
        marks = (_mark(title, feature.name) for title in titles)
        rows.append(f"| {feature.title} | `{feature.name}` | {' | '.join(marks)} |")
    reasons = [_reasons(title) for title, lacks in LACKS.items() if lacks]
    return "\n".join([_HEAD, *rows, "", *reasons])


def _mark(title: str, feature: str) -> str:
    return "no" if feature in LACKS[title] else "yes"


def _reasons(title: str) -> str:
    lines = [f"- `{name}`: {reason}." for name, reason in LACKS[title].items()]
    return "\n".join([f"## What {title} does not do", "", *lines, ""])


def write() -> None:
    COMPARISON_FILE.write_text(comparison_text())
