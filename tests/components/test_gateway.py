from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.control_plane import ControlPlane, ControlPlaneArgs
from components.gateway import Gateway, GatewayArgs
from components.ingress import GatewaySettings, Hosts
from tests.components.recording import Deployment, Sealed, deployed, plain_texts
from tests.components.samples import istio

HOSTS = ("llm.example.com", "deepseek.example.com")


def gateway(tls: dict[str, Any]) -> Deployment:
    settings = GatewaySettings.model_validate(
        {"host": HOSTS[0], "tls": tls, "annotations": {"example.com/type": "nlb"}}
    )

    def program() -> None:
        plane = ControlPlane("mesh", ControlPlaneArgs(istio()))
        Gateway("gateway", GatewayArgs(settings, istio(), plane, Hosts(HOSTS), 300))

    return deployed(program)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_text("-----BEGIN CERTIFICATE-----\n")
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    return {"certificateFile": str(certificate), "keyFile": str(key)}


def test_all_parts_are_children_of_the_component() -> None:
    result = gateway({"issuer": "letsencrypt"})
    component = result.one("Gateway", "gateway")
    assert component.type == "inference-mesh:gateway:Gateway"
    kinds = {r.kind for r in result.resources if r.parent == component.urn}
    assert kinds == {"Namespace", "Certificate", "Release", "Gateway"}
    assert component.urn in result.finished


def test_gateway_pods_start_after_the_injector_that_gives_them_their_image() -> None:
    result = gateway({"secret": "certificate"})
    release = result.one("Release", "istio-ingress")
    assert result.follows(release, result.one("Release", "istiod"))
    assert result.follows(release, result.one("Namespace", "istio-ingress"))


def test_a_certificate_follows_the_gateway_that_its_issuer_may_have_to_reach() -> None:
    result = gateway({"issuer": "letsencrypt"})
    assert result.follows(result.one("Certificate"), result.one("Release", "istio-ingress"))


def test_a_certificate_from_files_is_made_where_the_gateway_is(files: dict[str, str]) -> None:
    result = gateway(files)
    assert result.follows(result.one("Secret"), result.one("Release", "istio-ingress"))


def test_listeners_follow_istiod_whose_webhook_judges_them_and_the_gateway_itself() -> None:
    result = gateway({"secret": "certificate"})
    listeners = result.one("Gateway", "inference")
    assert listeners.type == "kubernetes:networking.istio.io/v1:Gateway"
    assert result.follows(listeners, result.one("Release", "istiod"))
    assert result.follows(listeners, result.one("Release", "istio-ingress"))


def test_an_issuer_makes_a_certificate_for_every_host_that_the_gateway_uses() -> None:
    result = gateway({"issuer": "letsencrypt", "issuerKind": "Issuer"})
    certificate = result.one("Certificate").inputs["spec"]
    assert certificate["dnsNames"] == list(HOSTS)
    assert certificate["issuerRef"] == {"name": "letsencrypt", "kind": "Issuer"}
    tls = result.one("Gateway", "inference").inputs["spec"]["servers"][0]["tls"]
    assert tls["credentialName"] == certificate["secretName"]


def test_files_become_a_secret_whose_key_is_sealed(files: dict[str, str]) -> None:
    result = gateway(files)
    secret = result.one("Secret")
    assert secret.inputs["type"] == "kubernetes.io/tls"
    assert secret.inputs["metadata"]["namespace"] == "istio-ingress"
    assert secret.inputs["stringData"]["tls.key"] == Sealed("-----BEGIN PRIVATE KEY-----\n")
    texts = [text for r in result.resources for text in plain_texts(r.inputs)]
    assert not any("PRIVATE KEY" in text for text in texts)
    tls = result.one("Gateway", "inference").inputs["spec"]["servers"][0]["tls"]
    assert tls["credentialName"] == secret.inputs["metadata"]["name"]


def test_a_secret_that_exists_is_used_and_none_is_made() -> None:
    result = gateway({"secret": "certificate"})
    assert result.all("Secret") == result.all("Certificate") == []
    tls = result.one("Gateway", "inference").inputs["spec"]["servers"][0]["tls"]
    assert tls["credentialName"] == "certificate"


def test_gateway_pods_live_in_a_namespace_that_enforces_baseline() -> None:
    result = gateway({"secret": "certificate"})
    labels = result.one("Namespace", "istio-ingress").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"


def test_the_release_has_the_streams_grace_and_the_clouds_annotations() -> None:
    values = gateway({"secret": "certificate"}).one("Release", "istio-ingress").inputs["values"]
    assert values["terminationGracePeriodSeconds"] == 300
    assert values["service"]["annotations"] == {"example.com/type": "nlb"}
