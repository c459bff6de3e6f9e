"""The ingress gateway: namespace, certificate, the mesh's gateway release and its listeners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.chart import ChartSource, install
from components.control_plane import ControlPlane
from components.ingress import GatewaySettings, Hosts, TlsSettings
from components.kubernetes import KubernetesObject, Manifest, manifest, recommended_labels
from components.mesh.protocol import Ingress, Mesh, Metadata

TLS_SECRET = "inference-tls"  # noqa: S105
"""Name of the certificate's Secret where the program or cert-manager makes it."""


@dataclass(frozen=True)
class GatewayArgs:
    settings: GatewaySettings
    mesh: Mesh
    control_plane: ControlPlane
    hosts: Hosts
    grace_seconds: int
    """The longest grace period of the models: streams through the gateway last as long."""
    charts: ChartSource | None = None
    traces_sampling_percent: float = 0


class Gateway(pulumi.ComponentResource):
    """The way in from outside, HTTPS only."""

    def __init__(
        self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:gateway:Gateway", name, None, opts)
        tls, mesh, hosts = args.settings.tls, args.mesh, args.hosts
        ingress = Ingress(
            hosts.all,
            tls.secret or TLS_SECRET,
            args.grace_seconds,
            args.settings.annotations,
            hosts.open,
            hosts.by_model,
            hosts.picked,
            args.traces_sampling_percent,
        )
        namespace = KubernetesObject(
            _namespace(name, mesh.gateway_namespace, mesh.gateway_namespace_metadata()),
            pulumi.ResourceOptions(parent=self),
        )
        # Its pods are meshed: they cannot start before the injector serves.
        after = [namespace, *args.control_plane.ready]
        after = [*after, *install(mesh.gateway(ingress), args.charts, self, after)]
        # An issuer may have to reach the gateway before the certificate is there.
        tls_objects = certificate(tls, mesh.gateway_namespace, hosts.all)
        for content in (*tls_objects, *mesh.expose(ingress)):
            KubernetesObject(content, pulumi.ResourceOptions(parent=self, depends_on=after))
        self.register_outputs({})


def _namespace(instance: str, name: str, mesh: Metadata) -> Manifest:
    level = {"pod-security.kubernetes.io/enforce": "baseline"}
    labels = recommended_labels(instance, "gateway") | level | mesh.labels
    return manifest("v1", "Namespace", name, labels=labels, annotations=mesh.annotations)


def certificate(tls: TlsSettings, namespace: str, hosts: tuple[str, ...]) -> tuple[Manifest, ...]:
    """What makes the certificate's Secret: cert-manager, or the files; nothing if it exists."""
    if tls.issuer is not None:
        spec = {
            "secretName": TLS_SECRET,
            "dnsNames": list(hosts),
            "issuerRef": {"name": tls.issuer, "kind": tls.issuer_kind},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        }
        return (manifest("cert-manager.io/v1", "Certificate", TLS_SECRET, namespace, spec=spec),)
    if tls.certificate_file is None or tls.key_file is None:
        return ()
    pem = {
        "tls.crt": Path(tls.certificate_file).read_text(),
        "tls.key": pulumi.Output.secret(Path(tls.key_file).read_text()),
    }
    secret = manifest(
        "v1", "Secret", TLS_SECRET, namespace, type="kubernetes.io/tls", stringData=pem
    )
    return (secret,)
