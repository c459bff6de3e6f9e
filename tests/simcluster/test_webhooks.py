from __future__ import annotations

from typing import Any

from simcluster import webhooks


def webhook(**client: Any) -> dict[str, Any]:
    return {"name": "a.example.com", "clientConfig": client}


def test_a_webhook_of_a_service_is_never_called() -> None:
    found = webhooks.silenced({"webhooks": [webhook(service={"name": "injector"})]})
    assert found is not None
    assert found[0]["matchConditions"] == [webhooks.NEVER]
    assert webhooks.silenced({"webhooks": found}) is None


def test_a_webhook_of_this_machine_is_left_alone() -> None:
    local = webhook(url="https://localhost:15017/inject")
    assert webhooks.silenced({"webhooks": [local]}) is None
    found = webhooks.silenced({"webhooks": [local, webhook(service={"name": "injector"})]})
    assert found is not None
    assert found[0] == local


def test_conditions_of_its_own_stay() -> None:
    own = {"name": "own", "expression": "true"}
    given = webhook(service={"name": "injector"}) | {"matchConditions": [own]}
    found = webhooks.silenced({"webhooks": [given]})
    assert found is not None
    assert found[0]["matchConditions"] == [own, webhooks.NEVER]


def test_a_configuration_without_webhooks_is_none_to_silence() -> None:
    assert webhooks.silenced({}) is None
