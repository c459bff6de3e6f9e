from __future__ import annotations

import pytest

from components.mesh import gateway_api
from tests.components.mesh import definitions


def test_the_definitions_are_those_of_the_standard_channel() -> None:
    made = gateway_api.definitions()
    kinds = {each["spec"]["names"]["kind"] for each in made if "names" in each["spec"]}
    assert {"Gateway", "GatewayClass", "HTTPRoute", "ReferenceGrant"} <= kinds
    for each in made:
        assert each["metadata"]["annotations"]["gateway.networking.k8s.io/channel"] == "standard"


def test_a_field_that_is_called_description_is_kept() -> None:
    schema = {"description": "text", "properties": {"description": {"description": "text"}}}
    assert definitions.without_descriptions(schema) == {"properties": {"description": {}}}


@pytest.mark.cluster
def test_the_definitions_are_those_of_the_module() -> None:
    # Made anew by `python -m tests.components.mesh.definitions`.
    assert gateway_api.DEFINITIONS.read_text() == definitions.text()
