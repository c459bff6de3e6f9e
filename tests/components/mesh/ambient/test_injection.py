from __future__ import annotations

import pytest

from components.adoption import Adoption
from components.mesh.protocol import Metadata
from tests.components.samples import ambient, model


@pytest.mark.parametrize("adoption", ["permissive", "strict"])
def test_a_namespace_joins_by_label_and_its_services_are_called_through_the_waypoint(
    adoption: Adoption,
) -> None:
    assert ambient().namespace_metadata(adoption).labels == {
        "istio.io/dataplane-mode": "ambient",
        "istio.io/use-waypoint": "waypoint",
        "istio.io/ingress-use-waypoint": "true",
    }


def test_an_unmeshed_namespace_has_no_label_of_the_mesh() -> None:
    assert ambient().namespace_metadata("unmeshed") == Metadata()


@pytest.mark.parametrize("adoption", ["unmeshed", "permissive", "strict"])
def test_pods_are_the_same_whatever_the_adoption(adoption: Adoption) -> None:
    # So that no step of it replaces one.
    assert ambient().inject(model(adoption=adoption)) == Metadata()
    assert ambient().pod_security(adoption) == "restricted"
