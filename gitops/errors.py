"""What a person is told when the program cannot be rendered or deployed."""

from __future__ import annotations


class GitopsError(Exception):
    """One message for a person: what is wrong, where, and what to do about it."""
