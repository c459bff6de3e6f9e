"""Envoy AI Gateway between the mesh's gateway and models whose callers have a budget of tokens."""
