from __future__ import annotations

from typing import Any

from components.flagger import FlaggerSettings, chart
from components.mesh.protocol import Mesh
from simcluster import gomod, toolchain
from tests.components.samples import istio, linkerd

PROMETHEUS = "http://prometheus.monitoring:9090"


def values(mesh: Mesh | None = None, **own: Any) -> dict[str, Any]:
    return chart(FlaggerSettings(values=own), PROMETHEUS, mesh or istio()).values


def test_default_configuration_is_the_pinned_chart_of_the_official_repository() -> None:
    made = chart(FlaggerSettings(), PROMETHEUS, istio())
    assert (made.name, made.repository) == ("flagger", "https://flagger.app")
    assert made.version == FlaggerSettings().version


def test_the_default_is_the_version_that_releases_are_proven_with() -> None:
    assert f"v{FlaggerSettings().version}" == gomod.version(*toolchain.FLAGGER)


def test_the_label_that_differs_in_the_copy_is_one_that_deployments_select_by() -> None:
    assert values()["selectorLabels"] == "app.kubernetes.io/instance"


def test_a_rotated_key_is_no_release() -> None:
    assert values()["configTracking"] == {"enabled": False}


def test_values_of_the_user_win() -> None:
    made = values(metricsServer="http://thanos:9090", resources={"limits": {"memory": "1Gi"}})
    assert made["metricsServer"] == "http://thanos:9090"
    assert made["resources"] == {"limits": {"memory": "1Gi"}}


def test_a_mesh_says_how_flagger_gets_to_its_metrics() -> None:
    policy = {"create": True}
    assert values(linkerd())["linkerdAuthPolicy"] == policy
    assert "linkerdAuthPolicy" not in values()
    own = {"linkerdAuthPolicy": {"namespace": "viz"}}
    assert values(linkerd(), **own)["linkerdAuthPolicy"] == policy | {"namespace": "viz"}
