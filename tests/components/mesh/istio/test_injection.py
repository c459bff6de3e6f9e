from __future__ import annotations

import json

from tests.components.samples import istio, model


def test_default_configuration_labels_the_namespace_for_injection() -> None:
    assert istio().namespace_metadata("strict").labels == {"istio-injection": "enabled"}


def test_a_revision_replaces_the_label_that_would_override_it() -> None:
    metadata = istio(revision="v1-31-1").namespace_metadata("permissive")
    assert metadata.labels == {"istio.io/rev": "v1-31-1"}


def test_the_proxy_is_a_native_sidecar_so_that_it_starts_first_and_stops_last() -> None:
    metadata = istio().inject(model())
    assert metadata.annotations == {"sidecar.istio.io/nativeSidecar": "true"}


def test_pods_say_their_revision_so_that_a_new_one_replaces_them() -> None:
    assert istio(revision="v1-31-1").inject(model()).labels == {"istio.io/rev": "v1-31-1"}
    assert istio().inject(model()).labels == {}


def test_without_native_sidecars_the_model_is_held_and_the_proxy_drains_last() -> None:
    annotations = istio(native_sidecars=False).inject(model()).annotations
    assert annotations["sidecar.istio.io/nativeSidecar"] == "false"
    config = json.loads(annotations["proxy.istio.io/config"])
    assert config["holdApplicationUntilProxyStarts"] is True
    assert config["proxyMetadata"] == {
        "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true",
        "MINIMUM_DRAIN_DURATION": "15s",
    }


def test_pods_are_restricted_only_where_a_node_agent_redirects() -> None:
    assert istio().pod_security("strict") == "privileged"
    assert istio(cni=True).pod_security("strict") == "restricted"


def test_an_unmeshed_model_has_nothing_of_the_mesh_and_meets_the_strictest_level() -> None:
    assert istio(revision="v1-31-1").namespace_metadata("unmeshed").labels == {}
    metadata = istio().inject(model(adoption="unmeshed"))
    assert metadata.labels == {"sidecar.istio.io/inject": "false"}
    assert metadata.annotations == {}
    assert istio().pod_security("unmeshed") == "restricted"
