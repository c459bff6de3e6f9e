"""The cluster as a whole: real processes in a directory of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simcluster import processes, state
from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError
from tests.simcluster.kubectl import Kubectl

pytestmark = pytest.mark.cluster

VIRTUAL_SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: chat, namespace: default}
spec: {hosts: [chat], http: [{route: [{destination: {host: chat}, weight: %d}]}]}
"""


INJECTOR = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: injector}
webhooks:
  - name: injector.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Fail
    timeoutSeconds: 2
    clientConfig: {service: {name: injector, namespace: default}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
"""


NODES = """
zones: [zone-a, zone-b]
pools:
  - {name: cpu, count: 3, instanceType: cpu, cpu: %d, memory: 64Gi}
  - name: l4
    count: 4
    instanceType: l4
    cpu: 16
    memory: 64Gi
    gpu: {product: NVIDIA-L4, count: 1, memory: 23034}
"""


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "nodes.yaml").write_text(NODES % 16)
    cluster = SimulatedCluster(folder / ".sim", folder / "nodes.yaml")
    cluster.start()
    yield Kubectl(cluster)
    cluster.stop()


@pytest.fixture(scope="module")
def istio(kubectl: Kubectl) -> Kubectl:
    kubectl.helm("istio-base", "base", "istio-system")
    kubectl.helm("istiod", "istiod", "istio-system")
    return kubectl


def test_nodes_are_ready_and_have_gpus(kubectl: Kubectl) -> None:
    nodes = kubectl.read("nodes", "-l", "nvidia.com/gpu.product=NVIDIA-L4")["items"]
    assert len(nodes) == 4
    assert all(node["status"]["allocatable"]["nvidia.com/gpu"] == "1" for node in nodes)


def test_pods_and_services_have_addresses_of_their_own_ranges(kubectl: Kubectl) -> None:
    kubectl("run", "one", "--image=one")
    kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=20s")
    assert kubectl.read("pod", "one")["status"]["podIP"].startswith("10.244.")
    assert kubectl.read("service", "kubernetes")["spec"]["clusterIP"].startswith("10.96.")


def test_a_load_balancer_gets_an_address(kubectl: Kubectl) -> None:
    kubectl("create", "service", "loadbalancer", "front", "--tcp=80")
    kubectl(
        "wait",
        "--for=jsonpath={.status.loadBalancer.ingress[0].ip}",
        "service/front",
        "--timeout=20s",
    )


def test_a_job_completes(kubectl: Kubectl) -> None:
    kubectl("create", "job", "hook", "--image=hook")
    kubectl("wait", "--for=condition=Complete", "job/hook", "--timeout=20s")


def test_a_claim_binds_and_its_volume_comes_back(kubectl: Kubectl) -> None:
    kubectl(
        "apply",
        "-f-",
        stdin="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: cache}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 50Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  containers: [{name: reader, image: reader}]
  volumes: [{name: cache, persistentVolumeClaim: {claimName: cache}}]
""",
    )
    kubectl("wait", "--for=condition=Ready", "pod/reader", "--timeout=20s")
    volume = kubectl.read("pvc", "cache")["spec"]["volumeName"]
    kubectl("delete", "pod/reader", "pvc/cache")
    kubectl.eventually(lambda: kubectl.read("pv", volume)["status"]["phase"] == "Available")


def test_the_custom_resources_of_a_platform_are_there(kubectl: Kubectl) -> None:
    for kind in ("scaledobjects.keda.sh", "certificates.cert-manager.io", "podmonitors"):
        kubectl("get", kind)
    assert "CRDs only, no controller" in kubectl.cluster.status()


def test_istiod_validates_as_soon_as_its_release_is_ready(istio: Kubectl) -> None:
    istio("apply", "-f-", stdin=VIRTUAL_SERVICE % 100)
    with pytest.raises(AssertionError, match="weight -10 < 0"):
        istio("apply", "-f-", stdin=VIRTUAL_SERVICE % -10)
    assert "istiod      serving" in istio.cluster.status()


def test_istiod_injects_namespaces_and_gateways(istio: Kubectl) -> None:
    istio("create", "namespace", "meshed")
    istio("label", "namespace", "meshed", "istio-injection=enabled")
    istio("run", "app", "-n", "meshed", "--image=app")
    spec = istio.read("pod", "app", "-n", "meshed")["spec"]
    assert "istio-proxy" in {c["name"] for c in [*spec["initContainers"], *spec["containers"]]}
    istio.helm("istio-ingress", "gateway", "istio-ingress")
    gateway = istio.read("pods", "-n", "istio-ingress")["items"][0]
    assert gateway["spec"]["containers"][0]["image"].startswith("docker.io/istio/proxyv2:")
    service = istio.read("service", "istio-ingress", "-n", "istio-ingress")
    assert service["status"]["loadBalancer"]["ingress"]


def test_istiod_follows_the_values_of_its_chart(istio: Kubectl) -> None:
    istio.helm("istiod", "istiod", "istio-system", "--set", "env.PILOT_HTTP10=true")
    pids = [pid for pid, name in processes.find(istio.cluster.directory).items() if "pilot" in name]
    assert len(pids) == 1
    assert b"PILOT_HTTP10=true" in Path(f"/proc/{pids[0]}/environ").read_bytes().split(b"\0")
    istio("apply", "-f-", stdin=VIRTUAL_SERVICE % 90)


def test_istiod_can_be_removed_and_installed_again(istio: Kubectl) -> None:
    istio.run("helm", "uninstall", "--wait", "istiod", "-n", "istio-system")
    istio.eventually(
        lambda: processes.ISTIOD not in processes.find(istio.cluster.directory).values()
    )
    assert istio.read("mutatingwebhookconfigurations")["items"] == []
    istio.helm("istiod", "istiod", "istio-system")
    istio("apply", "-f-", stdin=VIRTUAL_SERVICE % 80)


@pytest.mark.parametrize(
    "victims",
    [
        {"etcd"},
        {"kube-apiserver"},
        {processes.SUPERVISOR},
        {*processes.NAMES, processes.SUPERVISOR},
    ],
    ids=["etcd", "apiserver", "supervisor", "everything"],
)
def test_up_mends_what_was_killed(istio: Kubectl, victims: set[str]) -> None:
    cluster = istio.cluster
    for pid, name in processes.find(cluster.directory).items():
        if name in victims:
            os.kill(pid, signal.SIGKILL)
    istio.eventually(lambda: not cluster.is_running())
    assert "up mends it" in cluster.status() or "no simulated cluster" in cluster.status()
    cluster.start()
    assert cluster.is_running()
    istio("apply", "-f-", stdin=VIRTUAL_SERVICE % 70)
    istio("delete", "pods", "--all", "-n", "meshed")
    istio("run", "app", "-n", "meshed", "--image=app")
    istio("wait", "--for=condition=Ready", "pod/app", "-n", "meshed", "--timeout=20s")


def test_up_does_nothing_where_all_is_well(kubectl: Kubectl) -> None:
    before = processes.find(kubectl.cluster.directory)
    started = time.monotonic()
    kubectl.cluster.start()
    assert time.monotonic() - started < 1
    assert processes.find(kubectl.cluster.directory) == before


def test_up_applies_a_change_of_the_nodes(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    file.write_text((NODES % 8).replace("count: 3", "count: 5"))
    SimulatedCluster(kubectl.cluster.directory, file).start()
    nodes = kubectl.read("nodes", "-l", "node.kubernetes.io/instance-type=cpu")["items"]
    assert [node["status"]["capacity"]["cpu"] for node in nodes] == ["8"] * 5
    kubectl.cluster.start()
    assert len(kubectl.read("nodes")["items"]) == 7


def test_a_webhook_that_a_pod_would_serve_refuses_nothing(kubectl: Kubectl) -> None:
    kubectl("apply", "-f-", stdin=INJECTOR)

    def silenced() -> bool:
        (webhook,) = kubectl.read("mutatingwebhookconfiguration", "injector")["webhooks"]
        return "matchConditions" in webhook

    try:
        kubectl.eventually(silenced, 5)
        kubectl("run", "admitted", "--image=admitted")
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", "injector")


def test_an_unknown_log_is_refused_with_the_known_ones(kubectl: Kubectl) -> None:
    with pytest.raises(SimulationError, match="kube-apiserver"):
        kubectl.cluster.log("kubelet")


def test_two_clusters_run_at_once_and_down_leaves_nothing(tmp_path: Path) -> None:
    clusters = [SimulatedCluster(tmp_path / name / ".sim") for name in ("a", "b")]
    # What a crash in the middle of the first `up` may leave.
    clusters[0].directory.mkdir(parents=True)
    state.file(clusters[0].directory).write_text('{"name": "sim-')
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(SimulatedCluster.start, clusters))
        assert all(cluster.is_running() for cluster in clusters)
        assert not set(clusters[0].ports.values()) & set(clusters[1].ports.values())
        clusters[0].stop()
        assert clusters[1].is_running()
    finally:
        for cluster in clusters:
            cluster.stop()
    for cluster in clusters:
        assert not cluster.directory.exists()
        assert processes.find(cluster.directory) == {}
    clusters[0].stop()


def test_processes_end_when_the_directory_is_removed_by_hand(tmp_path: Path) -> None:
    cluster = SimulatedCluster(tmp_path / ".sim")
    cluster.start()
    try:
        subprocess.run(["rm", "-rf", cluster.directory], check=True)
        Kubectl(cluster).eventually(lambda: not processes.find(cluster.directory))
    finally:
        cluster.stop()


def test_the_users_own_kubeconfig_is_left_alone(kubectl: Kubectl) -> None:
    own = Path.home() / ".kube" / "config"
    assert not own.exists() or str(kubectl.cluster.directory) not in own.read_text()
