"""Where a model's weights are kept between starts, so that a restart does not download them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.kubernetes import Manifest, manifest
from components.model.runtimes.base import MODELS_DIRECTORY
from components.settings import Problem, Settings
from components.types import Image, Memory, ObjectName, UrlPath

VOLUME = "models"


class HostPathCache(Settings):
    """A directory of the node: fast, one copy a node, kept when the pod goes.

    The directory has to exist on every node and be writable for user 1000 (or runtime.user); one
    that the kubelet makes belongs to root. The namespace's pod security level is then privileged.
    """

    kind: Literal["hostPath"]
    path: UrlPath

    def problems(self) -> Iterator[Problem]:
        if ".." in self.path.split("/"):
            yield Problem(("path",), f"{self.path} has '..' in it, which Kubernetes refuses")

    def source(self, _model: str) -> dict[str, Any]:
        return {"hostPath": {"path": self.path, "type": "Directory"}}


class ClaimCache(Settings):
    """A PersistentVolumeClaim: one that exists, or one made here for all replicas."""

    kind: Literal["pvc"]
    claim: ObjectName | None = None
    """Name of a claim that exists in the model's namespace."""
    size: Memory | None = None
    """Size of a claim to make instead, which goes when the model goes."""
    storage_class: ObjectName | None = None
    """Default: the cluster's default class."""
    access_mode: Literal["ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany"] = "ReadWriteMany"
    """ReadWriteOnce keeps all replicas on one node."""

    def problems(self) -> Iterator[Problem]:
        if self.size is not None and self.access_mode == "ReadOnlyMany":
            yield Problem(
                ("accessMode",), "a new volume has to be filled once; use ReadWriteMany, or a claim"
            )
        if (self.claim is None) == (self.size is None):
            yield Problem(
                (),
                "a pvc cache needs either claim (one that exists) or size (one to make, "
                "for example 50Gi)",
            )

    def source(self, model: str) -> dict[str, Any]:
        return {"persistentVolumeClaim": {"claimName": self.claim or claim_name(model)}}


class ImageCache(Settings):
    """Weights in an OCI image, mounted read-only by the kubelet; nothing is downloaded by the pod.

    Needs Kubernetes 1.35 (https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/).
    """

    kind: Literal["image"]
    image: Image
    path: UrlPath = "/"
    """Directory of the weights inside the image."""

    def source(self, _model: str) -> dict[str, Any]:
        return {"image": {"reference": self.image, "pullPolicy": "IfNotPresent"}}


Cache = Annotated[HostPathCache | ClaimCache | ImageCache, Field(discriminator="kind")]


def claim_name(model: str) -> str:
    """Name of the claim made for a model."""
    return f"{model}-models"


def claim(
    cache: Cache | None, model: str, namespace: str, labels: dict[str, str]
) -> Manifest | None:
    """The claim to make, or None where the cache needs none."""
    if not isinstance(cache, ClaimCache) or cache.size is None:
        return None
    spec: dict[str, Any] = {
        "accessModes": [cache.access_mode],
        "resources": {"requests": {"storage": cache.size}},
    }
    if cache.storage_class is not None:
        spec["storageClassName"] = cache.storage_class
    return manifest(
        "v1", "PersistentVolumeClaim", claim_name(model), namespace, labels=labels, spec=spec
    )


def volume(cache: Cache | None, model: str) -> dict[str, Any]:
    """The pod's volume of weights: without a cache, they live as long as the pod."""
    return {"name": VOLUME, **(cache.source(model) if cache else {"emptyDir": {}})}


def mount(cache: Cache | None) -> dict[str, Any]:
    """The container's mount of that volume."""
    read_only = {"readOnly": True} if isinstance(cache, ImageCache) else {}
    return {"name": VOLUME, "mountPath": MODELS_DIRECTORY, **read_only}


def weights_path(cache: Cache | None) -> str | None:
    """Path of the weights in the container, where the cache already holds them."""
    if not isinstance(cache, ImageCache):
        return None
    return (MODELS_DIRECTORY + cache.path).rstrip("/")
