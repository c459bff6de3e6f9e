from __future__ import annotations

from pathlib import Path

import pytest

from gitops.cluster import Answer, Cluster, _refusal
from gitops.errors import GitopsError

OBJECTS = [
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "a"}},
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "a"}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}},
]


def test_each_refused_object_is_named_with_its_reason() -> None:
    errors = (
        'Error from server: admission webhook "check" denied the request: no\n'
        'The Namespace "b" is invalid: \n* metadata.name: too short\n'
    )
    assert _refusal(OBJECTS, Answer(1, "service/web\n", errors)).splitlines() == [
        "the API server refused:",
        '  Deployment a/web: admission webhook "check" denied the request: no',
        '  Namespace b: The Namespace "b" is invalid: ',
        "* metadata.name: too short",
    ]


def test_what_cannot_be_matched_is_still_told() -> None:
    message = _refusal(OBJECTS, Answer(1, "", "error: connection lost\n"))
    assert "Deployment a/web" in message
    assert "connection lost" in message


def test_a_missing_tool_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "kubeconfig", kubectl=str(tmp_path / "kubectl"))
    with pytest.raises(GitopsError, match=r"kubectl is needed.*https://kubernetes\.io"):
        cluster.table("get", "namespaces")
