from __future__ import annotations

from pathlib import Path

import pytest

from simcluster import nodes
from simcluster.reporting import SimulationError

L4 = "{name: l4, count: 3, instanceType: g, cpu: 8, memory: 32Gi, gpu: {%s}}"
GPU = "product: NVIDIA-L4, count: 1, memory: 23034"


def shapes(tmp_path: Path, pool: str = L4 % GPU) -> nodes.Nodes:
    file = tmp_path / "nodes.yaml"
    file.write_text(f"zones: [a, b]\npools: [{pool}]\n")
    return nodes.load(file)


def test_the_default_nodes_have_gpus_for_sixteen_single_gpu_pods() -> None:
    gpus = [
        int(node["status"]["allocatable"].get("nvidia.com/gpu", 0))
        for node in nodes.load().manifests("v1.36.3")
    ]
    assert sum(gpus) >= 16
    assert 0 in gpus


def test_gpu_nodes_carry_the_labels_and_the_taint_of_gpu_feature_discovery(tmp_path: Path) -> None:
    node = shapes(tmp_path).manifests("v1.36.3")[0]
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-L4"
    assert node["metadata"]["labels"]["nvidia.com/gpu.memory"] == "23034"
    assert node["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.3"


def test_nodes_are_spread_over_the_zones(tmp_path: Path) -> None:
    made = shapes(tmp_path).manifests("v1.36.3")
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in made]
    assert zones == ["a", "b", "a"]


def test_a_thousand_nodes_are_one_number(tmp_path: Path) -> None:
    made = shapes(tmp_path, (L4 % GPU).replace("count: 3", "count: 1000")).manifests("v1.36.3")
    assert len({node["metadata"]["name"] for node in made}) == 1000


def test_another_shape_of_a_node_is_told_apart(tmp_path: Path) -> None:
    before = shapes(tmp_path).manifests("v1.36.3")[0]
    after = shapes(tmp_path, (L4 % GPU).replace("32Gi", "64Gi")).manifests("v1.36.3")[0]
    annotations = [node["metadata"]["annotations"][nodes.SHAPE] for node in (before, after)]
    assert annotations[0] != annotations[1]


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (L4 % GPU.replace("count", "cuont"), "pools.0.gpu.cuont"),
        ((L4 % GPU).replace("32Gi", "lots"), "pools.0.memory"),
        ((L4 % GPU).replace("count: 3", "count: -1"), "pools.0.count"),
    ],
)
def test_a_bad_nodes_file_is_refused_with_the_place(
    tmp_path: Path, pool: str, expected: str
) -> None:
    with pytest.raises(SimulationError, match=expected):
        shapes(tmp_path, pool)


def test_everything_wrong_with_a_nodes_file_is_said_at_once(tmp_path: Path) -> None:
    bad = (L4 % GPU).replace("32Gi", "lots").replace("count: 3", "count: -1")
    with pytest.raises(SimulationError) as error:
        shapes(tmp_path, bad)
    assert "pools.0.memory" in str(error.value)
    assert "pools.0.count" in str(error.value)


def test_a_nodes_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"none\.yaml"):
        nodes.load(tmp_path / "none.yaml")
