from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.adoption import Adoption
from components.mesh.linkerd import proxy as proxies
from tests.components.samples import linkerd, model


def annotations(adoption: Adoption = "strict", **proxy: Any) -> dict[str, str]:
    asked = replace(model(gracePeriod="300s"), adoption=adoption)
    return linkerd(proxy=proxy).inject(asked).annotations


def test_linkerd_reads_an_annotation_and_no_label() -> None:
    metadata = linkerd().namespace_metadata("strict")
    assert metadata.labels == {}
    assert metadata.annotations["linkerd.io/inject"] == "enabled"
    assert linkerd().inject(model()).labels == {}
    assert annotations()["linkerd.io/inject"] == "enabled"


@pytest.mark.parametrize("adoption", ["permissive", "strict"])
def test_ports_that_no_policy_names_are_closed(adoption: Adoption) -> None:
    closed = {"config.linkerd.io/default-inbound-policy": "deny"}.items()
    assert closed <= linkerd().namespace_metadata(adoption).annotations.items()
    assert closed <= annotations(adoption).items()


def test_going_strict_replaces_no_pod() -> None:
    assert annotations("permissive") == annotations("strict")
    assert linkerd().namespace_metadata("permissive") == linkerd().namespace_metadata("strict")


def test_a_namespace_out_of_the_mesh_carries_nothing_and_its_pods_say_so() -> None:
    assert linkerd().namespace_metadata("unmeshed").annotations == {}
    assert annotations("unmeshed") == {"linkerd.io/inject": "disabled"}


def test_the_proxy_takes_little_by_default() -> None:
    asked = annotations()
    assert asked["config.linkerd.io/proxy-cpu-request"] == "10m"
    assert asked["config.linkerd.io/proxy-memory-request"] == "20Mi"
    assert asked["config.linkerd.io/proxy-memory-limit"] == "50Mi"


def test_the_proxy_takes_less_where_asked() -> None:
    asked = annotations(cpuRequest="5m", memoryRequest="10Mi")
    assert asked["config.linkerd.io/proxy-cpu-request"] == "5m"
    assert asked["config.linkerd.io/proxy-memory-request"] == "10Mi"


def test_the_proxy_is_a_native_sidecar_so_that_it_starts_first_and_stops_last() -> None:
    asked = annotations()
    assert asked["config.linkerd.io/proxy-enable-native-sidecar"] == "true"
    assert "config.linkerd.io/proxy-await" not in asked


def test_without_native_sidecars_the_model_is_held_and_the_proxy_outlasts_new_requests() -> None:
    asked = annotations(nativeSidecar=False)
    assert asked["config.linkerd.io/proxy-enable-native-sidecar"] == "false"
    assert asked["config.linkerd.io/proxy-await"] == "enabled"
    assert asked["config.alpha.linkerd.io/proxy-wait-before-exit-seconds"] == "15"


def test_the_proxy_waits_for_streams_as_long_as_the_pod() -> None:
    assert annotations()["config.linkerd.io/shutdown-grace-period"] == "300s"


def test_every_annotation_is_one_of_todays_proxy() -> None:
    asked = annotations(nativeSidecar=False, annotations={"config.linkerd.io/access-log": "json"})
    prefix = proxies.PREFIX
    names = {key.removeprefix(prefix) for key in asked if key.startswith(prefix)}
    assert names <= proxies.PROXY_ANNOTATIONS
    assert "access-log" in names


def test_pods_are_restricted_only_out_of_the_mesh() -> None:
    assert linkerd().pod_security("unmeshed") == "restricted"
    assert linkerd().pod_security("strict") == "privileged"
