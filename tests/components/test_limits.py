from __future__ import annotations

from typing import Any

import pytest

from components.limits import ConcurrencySettings, RateLimitSettings
from tests.components.test_traffic import problems, traffic


def concurrency(**settings: Any) -> ConcurrencySettings:
    return ConcurrencySettings.model_validate(settings)


def test_by_default_as_many_requests_wait_as_run() -> None:
    assert concurrency().limit(32) == 64
    assert concurrency(running=8).limit(32) == 16


def test_the_queue_may_be_longer_or_none() -> None:
    assert concurrency(queue=100).limit(32) == 132
    assert concurrency(queue=0).limit(32) == 32


def test_a_server_that_does_not_say_what_it_runs_has_no_limit() -> None:
    assert concurrency().limit(None) is None
    assert concurrency(running=4, queue=2).limit(None) == 6


def test_a_time_to_try_again_in_parts_of_a_second_is_refused_with_the_next_whole_one() -> None:
    message = problems(concurrency={"retryAfter": "1500ms"})["concurrency.retryAfter"]
    assert "use 2s" in message
    assert problems(concurrency={"retryAfter": "2000ms"}) == {}


def test_a_header_is_refused_where_callers_are_told_apart_by_identity() -> None:
    limit = {"requests": 5, "per": "second", "by": "identity"}
    assert "remove header" in problems(rateLimit=limit | {"header": "x-user"})["rateLimit.header"]
    assert problems(rateLimit=limit) == {}


def test_by_default_a_fifth_of_the_requests_may_be_retries() -> None:
    budget = traffic().retries.budget
    assert budget is not None
    assert (budget.percent, budget.minimum) == (20, 3)


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({"requests": 60}, 1),
        ({"requests": 7}, 9),
        ({"requests": 100, "per": "second"}, 1),
        ({"requests": 10, "per": "hour"}, 360),
    ],
)
def test_a_caller_is_told_when_it_has_a_request_again(settings: Any, seconds: int) -> None:
    assert RateLimitSettings.model_validate(settings).retry_after == seconds
