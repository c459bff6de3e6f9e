"""How far a namespace has come into the mesh."""

from typing import Literal

Adoption = Literal["unmeshed", "permissive", "strict"]
"""unmeshed: the mesh is there, the models' pods are not in it. permissive: they are, and still take
plain text, for callers not yet in the mesh, who have no identity: everybody who reaches a model
may then call it. strict: mutual TLS alone, and nobody but the callers that a model lists."""
