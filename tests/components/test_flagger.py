from __future__ import annotations

from typing import Any

from components.flagger import FlaggerSettings, chart


def values(**own: Any) -> dict[str, Any]:
    return chart(FlaggerSettings(values=own), "http://prometheus.monitoring:9090").values


def test_default_configuration_is_the_pinned_chart_of_the_official_repository() -> None:
    made = chart(FlaggerSettings(), "http://prometheus.monitoring:9090")
    assert (made.name, made.repository) == ("flagger", "https://flagger.app")
    assert made.version == FlaggerSettings().version


def test_the_label_that_differs_in_the_copy_is_one_that_deployments_select_by() -> None:
    assert values()["selectorLabels"] == "app.kubernetes.io/instance"


def test_a_rotated_key_is_no_release() -> None:
    assert values()["configTracking"] == {"enabled": False}


def test_values_of_the_user_win() -> None:
    made = values(metricsServer="http://thanos:9090", resources={"limits": {"memory": "1Gi"}})
    assert made["metricsServer"] == "http://thanos:9090"
    assert made["resources"] == {"limits": {"memory": "1Gi"}}
