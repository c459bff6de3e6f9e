"""What an engine does with a stack on its target, whichever program does the work."""

from __future__ import annotations

from typing import Protocol


class Engine(Protocol):
    """All verbs print progress, may be repeated, and raise errors with one clear message."""

    @property
    def name(self) -> str:
        """As ENGINE=... names it."""

    def preview(self) -> None:
        """Show what `up` would change."""

    def up(self) -> None:
        """Make the cluster as the stack says."""

    def down(self) -> None:
        """Remove what `up` made."""
