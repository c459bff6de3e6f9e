"""A namespace whose pods are in the mesh: labelled, encrypted, closed unless opened."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.adoption import Adoption
from components.control_plane import ControlPlane
from components.kubernetes import KubernetesObject, Manifest, manifest, recommended_labels
from components.mesh.protocol import Mesh, Metadata, PodSecurityLevel


@dataclass(frozen=True)
class InjectedNamespaceArgs:
    mesh: Mesh
    control_plane: ControlPlane
    adoption: Adoption = "strict"
    grace_seconds: int = 30
    """The longest that a model of the namespace takes to stop."""
    host_paths: bool = False
    """Whether pods mount directories of their node, which only the privileged level allows."""
    charts: bool = False
    """Whether pods of third-party charts run there, which need not meet the restricted level."""


class InjectedNamespace(pulumi.ComponentResource):
    """A namespace for models, in the mesh as far as its adoption says.

    Pods depend on `policies`, so that none runs before it is closed.
    """

    namespace: pulumi.Resource
    policies: list[pulumi.Resource]

    def __init__(
        self, name: str, args: InjectedNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("inference-mesh:namespace:InjectedNamespace", name, None, opts)
        mesh, adoption = args.mesh, args.adoption
        level = mesh.pod_security(adoption)
        if args.charts and level == "restricted":
            level = "baseline"
        if args.host_paths:
            level = "privileged"
        # After the control plane: a change of the labels asks for pods that only the new one makes.
        self.namespace = KubernetesObject(
            namespace_manifest(name, mesh.namespace_metadata(adoption), level),
            pulumi.ResourceOptions(parent=self, depends_on=args.control_plane.ready),
        )
        self.policies = [
            KubernetesObject(
                content, pulumi.ResourceOptions(parent=self, depends_on=[self.namespace])
            )
            for content in mesh.secure(name, adoption, args.grace_seconds)
        ]
        self.register_outputs({})


def namespace_manifest(name: str, mesh: Metadata, level: PodSecurityLevel) -> Manifest:
    """The Namespace: enforces what meshed pods meet, and warns of templates that are not
    restricted, since templates are judged before anything is injected.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    security = {
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/warn": "restricted",
    }
    labels = recommended_labels(name, "namespace") | mesh.labels | security
    return manifest("v1", "Namespace", name, labels=labels, annotations=mesh.annotations)
