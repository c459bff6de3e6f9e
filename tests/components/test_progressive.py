from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.progressive import ProgressiveSettings


def progressive(**settings: Any) -> ProgressiveSettings:
    return ProgressiveSettings.model_validate(settings)


def test_default_configuration_goes_in_steps_of_ten_to_half_of_the_requests() -> None:
    settings = progressive()
    assert (settings.step, settings.max, settings.interval) == (10, 50, "1m")
    assert list(settings.all_problems()) == []


def test_a_maximum_that_no_step_reaches_is_refused_with_one_that_is() -> None:
    (problem,) = progressive(step=20, max=50).problems()
    assert problem.path == ("max",)
    assert "use a multiple, for example 40" in problem.message


def test_an_interval_below_flaggers_shortest_is_refused() -> None:
    (problem,) = progressive(interval="5s").problems()
    assert problem.path == ("interval",)
    assert "10s" in problem.message


def test_two_webhooks_of_one_name_are_refused() -> None:
    hook = {"name": "gate", "kind": "confirm-rollout", "url": "http://gate.tools/approve"}
    (problem,) = progressive(webhooks=[hook, hook]).problems()
    assert problem.path == ("webhooks", "1", "name")


def test_a_success_rate_given_as_a_share_is_refused_with_its_percentage() -> None:
    (problem,) = progressive(analysis={"successRate": 0.995}).all_problems()
    assert problem.path == ("analysis", "successRate")
    assert "for example 99.5" in problem.message
    assert list(progressive(analysis={"successRate": 99.5}).all_problems()) == []


@pytest.mark.parametrize(
    "settings",
    [{"step": 0}, {"step": 101}, {"threshold": 0}, {"webhooks": [{"name": "x", "kind": "maybe"}]}],
)
def test_what_flagger_does_not_know_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        progressive(**settings)
