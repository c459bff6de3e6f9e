"""Storage of the simulated cluster: a default class, and a pool of volumes for its claims."""

from __future__ import annotations

from typing import Any

CLASS = "standard"
VOLUMES = 24
CAPACITY = "500Gi"


def storage_class() -> dict[str, Any]:
    """The default StorageClass; a claim is bound when its first pod is scheduled."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volumes() -> list[dict[str, Any]]:
    """The volumes, usable on every node, in every access mode."""
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"volume-{index}"},
            "spec": {
                "storageClassName": CLASS,
                "capacity": {"storage": CAPACITY},
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": f"/var/lib/volumes/{index}"},
            },
        }
        for index in range(VOLUMES)
    ]
