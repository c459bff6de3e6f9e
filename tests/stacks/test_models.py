from __future__ import annotations

from stacks.models import mirrored_gpus, models, released_gpus
from tests.components.samples import model_settings, stack

MIRROR = {"model": "staging", "percent": 5, "sideEffects": "none"}
TWO = {
    "live": model_settings(traffic={"mirror": MIRROR}),
    "staging": model_settings(route=None, gpu={"count": 2}, replicas=3),
}


def test_a_model_has_the_profile_of_its_preset() -> None:
    (live, _) = models(stack(TWO))
    assert live.profile is not None
    assert live.profile.hub_id == "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"


def test_a_model_knows_its_mirror_and_the_mirror_its_sources() -> None:
    live, staging = models(stack(TWO))
    assert live.mirror is not None
    assert live.mirror.name == "staging"
    assert [source.name for source in staging.mirrored_from] == ["live"]
    assert live.mirrored_from == ()
    assert staging.mirror is None


def test_spans_of_all_models_go_to_the_stacks_collector() -> None:
    endpoint = "http://otel.observability:4317"
    assert {model.traces_endpoint for model in models(stack(TWO))} == {None}
    traced = models(stack(TWO, tracing={"endpoint": endpoint}))
    assert {model.traces_endpoint for model in traced} == {endpoint}


def test_what_mirroring_costs_is_said_in_gpus() -> None:
    assert mirrored_gpus(models(stack(TWO))) == [
        "5 % of the requests to live are mirrored to staging: up to 6 GPUs work for no user"
    ]


def test_an_autoscaled_mirror_may_take_its_most_gpus() -> None:
    scaled = model_settings(route=None, autoscaling={"signal": "cpu", "max": 8})
    (line,) = mirrored_gpus(models(stack(TWO | {"staging": scaled})))
    assert "up to 8 GPUs" in line


def test_what_a_release_takes_is_said_in_gpus() -> None:
    scaling = {"signal": "cpu", "min": 2, "max": 6}
    released = model_settings(progressive={}, autoscaling=scaling, gpu={"count": 2})
    assert released_gpus(models(stack({"live": released}))) == [
        "a release of live runs the old and the new version side by side: up to 24 GPUs at its "
        "peak, 12 between releases"
    ]


def test_a_rollout_that_surges_takes_more_while_the_new_version_is_promoted() -> None:
    released = model_settings(progressive={}, replicas=2, rollout={"surge": 1})
    (line,) = released_gpus(models(stack({"live": released})))
    assert "up to 5 GPUs at its peak, 2 between" in line


def test_a_release_without_gpus_has_nothing_to_say() -> None:
    assert released_gpus(models(stack(TWO))) == []
    on_cpu = model_settings(progressive={}, gpu={"count": 0})
    assert released_gpus(models(stack({"live": on_cpu}))) == []
