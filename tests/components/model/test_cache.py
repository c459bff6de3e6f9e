from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from components.model.cache import Cache, claim, mount, volume, weights_path

MODEL = "deepseek-r1-1-5b"


def cache(**given: Any) -> Any:
    return TypeAdapter(Cache).validate_python(given)


def test_default_configuration_keeps_weights_as_long_as_the_pod() -> None:
    assert volume(None, MODEL) == {"name": "models", "emptyDir": {}}
    assert mount(None) == {"name": "models", "mountPath": "/models"}


def test_a_host_path_has_to_be_there_since_the_kubelet_would_give_it_to_root() -> None:
    source = volume(cache(kind="hostPath", path="/var/lib/models"), MODEL)
    assert source["hostPath"] == {"path": "/var/lib/models", "type": "Directory"}


def test_a_claim_that_exists_is_mounted_and_none_is_made() -> None:
    existing = cache(kind="pvc", claim="shared")
    assert volume(existing, MODEL)["persistentVolumeClaim"] == {"claimName": "shared"}
    assert claim(existing, MODEL, "ai-inference", {}) is None


def test_a_claim_to_make_is_the_one_that_is_mounted() -> None:
    wanted = cache(kind="pvc", size="50Gi", storageClass="nfs")
    made = claim(wanted, MODEL, "ai-inference", {"app": MODEL})
    assert made is not None
    assert made["metadata"]["name"] == f"{MODEL}-models"
    assert volume(wanted, MODEL)["persistentVolumeClaim"] == {"claimName": f"{MODEL}-models"}
    assert made["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "50Gi"}},
        "storageClassName": "nfs",
    }


def test_without_a_storage_class_the_clusters_default_is_taken() -> None:
    made = claim(cache(kind="pvc", size="50Gi"), MODEL, "ai-inference", {})
    assert made is not None
    assert "storageClassName" not in made["spec"]


def test_weights_in_an_image_are_mounted_read_only() -> None:
    image = cache(kind="image", image="registry.example.com/weights:v1")
    assert volume(image, MODEL)["image"]["reference"] == "registry.example.com/weights:v1"
    assert mount(image)["readOnly"] is True
    assert weights_path(image) == "/models"


def test_only_an_image_already_holds_the_weights() -> None:
    assert weights_path(None) is None
    assert weights_path(cache(kind="pvc", size="1Gi")) is None
