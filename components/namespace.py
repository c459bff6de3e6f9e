"""A namespace whose pods are in the mesh: labelled, encrypted, closed unless opened."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.control_plane import ControlPlane
from components.kubernetes import KubernetesObject, Manifest, manifest, recommended_labels
from components.mesh.protocol import Mesh, MtlsMode, PodSecurityLevel


@dataclass(frozen=True)
class InjectedNamespaceArgs:
    mesh: Mesh
    control_plane: ControlPlane
    mtls: MtlsMode = "strict"
    host_paths: bool = False
    """Whether pods mount directories of their node, which only the privileged level allows."""


class InjectedNamespace(pulumi.ComponentResource):
    """A namespace for models. Pods depend on `policies`, so that none runs before it is closed."""

    namespace: pulumi.Resource
    policies: list[pulumi.Resource]

    def __init__(
        self, name: str, args: InjectedNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:namespace:InjectedNamespace", name, None, opts)
        level: PodSecurityLevel = "privileged" if args.host_paths else args.mesh.pod_security()
        # After the control plane: a change of the labels asks for pods that only the new one makes.
        self.namespace = KubernetesObject(
            namespace_manifest(name, args.mesh.namespace_labels(), level),
            pulumi.ResourceOptions(parent=self, depends_on=[args.control_plane.ready]),
        )
        self.policies = [
            KubernetesObject(
                content, pulumi.ResourceOptions(parent=self, depends_on=[self.namespace])
            )
            for content in args.mesh.secure(name, args.mtls)
        ]
        self.register_outputs({})


def namespace_manifest(name: str, mesh_labels: dict[str, str], level: PodSecurityLevel) -> Manifest:
    """The Namespace: enforces what meshed pods meet, and warns of templates that are not
    restricted, since templates are judged before anything is injected.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    security = {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/warn": "restricted",
    }
    labels = recommended_labels(name, "namespace") | mesh_labels | security
    return manifest("v1", "Namespace", name, labels=labels)
