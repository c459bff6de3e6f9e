from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.traffic import TrafficSettings

MIRROR = {"model": "staging", "percent": 5, "sideEffects": "none"}
FAULT = {"percent": 5, "abort": 503}


def traffic(**settings: Any) -> TrafficSettings:
    return TrafficSettings.model_validate(settings)


def problems(**settings: Any) -> dict[str, str]:
    return {".".join(path): message for path, message in traffic(**settings).all_problems()}


def test_default_configuration_lets_a_stream_run_as_long_as_it_yields() -> None:
    timeouts = traffic().timeouts
    assert timeouts.response is None
    assert timeouts.first_byte is None


def test_default_configuration_has_no_problem() -> None:
    assert problems() == {}


def test_default_retries_are_of_failures_in_which_the_server_has_not_seen_the_request() -> None:
    assert traffic().retries.conditions == (
        "connect-failure",
        "refused-stream",
        "reset-before-request",
    )


def test_default_connections_are_kept() -> None:
    assert traffic().connection_pool.max_requests_per_connection == 0


@pytest.mark.parametrize("condition", ["5xx", "503", "reset", "gateway-error", "retriable-4xx"])
def test_a_retry_that_may_repeat_a_generation_is_refused(condition: str) -> None:
    with pytest.raises(ValidationError):
        traffic(retries={"conditions": ["connect-failure", condition]})


def test_retries_without_a_condition_are_refused_since_meshes_would_choose_their_own() -> None:
    assert "conditions" in str(problems(retries={"attempts": 2, "conditions": []}))
    assert problems(retries={"attempts": 0, "conditions": []}) == {}


def test_tries_that_fill_the_response_time_exactly_fit() -> None:
    timeouts = {"firstByte": "10s", "response": "30s"}
    assert problems(timeouts=timeouts, retries={"attempts": 2}) == {}


def test_tries_that_do_not_fit_the_response_time_are_refused_with_the_numbers() -> None:
    timeouts = {"firstByte": "10s", "response": "30s"}
    message = problems(timeouts=timeouts, retries={"attempts": 3})["timeouts.response"]
    assert "4 tries of 10s each need 40s" in message
    assert "30s" in message
    assert "raise timeouts.response" in message


def test_times_in_different_units_are_compared_as_times() -> None:
    timeouts = {"firstByte": "30s", "response": "90000ms"}
    assert problems(timeouts=timeouts, retries={"attempts": 2}) == {}
    assert problems(timeouts=timeouts, retries={"attempts": 3}) != {}


def test_a_limit_of_each_try_needs_tries() -> None:
    found = problems(timeouts={"firstByte": "10s"}, retries={"attempts": 0})
    assert "retries.attempts" in found["timeouts.firstByte"]


def test_more_waiting_requests_than_requests_at_all_are_refused() -> None:
    pool = {"maxPendingRequests": 200, "maxRequests": 100}
    message = problems(connectionPool=pool)["connectionPool.maxPendingRequests"]
    assert "200" in message
    assert "100" in message


def test_default_configuration_keeps_an_unused_connection_for_five_minutes() -> None:
    assert traffic().timeouts.idle == "5m"


def test_default_configuration_neither_mirrors_nor_disturbs() -> None:
    assert (traffic().mirror, traffic().fault) == (None, None)


@pytest.mark.parametrize("key", MIRROR)
def test_a_mirror_says_whereto_how_much_and_that_it_has_no_side_effects(key: str) -> None:
    assert problems(mirror=MIRROR) == {}
    with pytest.raises(ValidationError, match=key):
        traffic(mirror={name: value for name, value in MIRROR.items() if name != key})


@pytest.mark.parametrize(
    "bad", [{"percent": 0}, {"percent": 101}, {"sideEffects": "some"}, {"model": "Staging"}]
)
def test_a_mirror_that_means_nothing_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        traffic(mirror=MIRROR | bad)


@pytest.mark.parametrize("fault", [FAULT, {"percent": 5, "delay": "5s"}, FAULT | {"delay": "5s"}])
def test_a_fault_is_a_delay_an_abort_or_both(fault: dict[str, Any]) -> None:
    assert problems(fault=fault) == {}


def test_a_fault_that_does_nothing_is_refused() -> None:
    assert "a delay, an abort, or both" in problems(fault={"percent": 5})["fault"]


@pytest.mark.parametrize(
    "bad",
    [
        {"percent": 0},
        {"percent": 101},
        {"abort": 200},
        {"abort": 600},
        {"delay": "soon"},
        {"headers": {"X-Chaos": "yes"}},
        {"headers": {"x-chaos": "sí"}},
    ],
)
def test_a_fault_that_a_proxy_would_not_understand_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        traffic(fault=FAULT | bad)
