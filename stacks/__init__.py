"""Stacks: the typed configuration, and the platform made of it."""
