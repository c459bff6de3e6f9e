"""Deployments of the small program to a real API server."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gitops.cluster import Cluster
from gitops.engine import HelmAndKubectl
from gitops.errors import GitopsError
from gitops.plan import Plan
from simcluster.cluster import SimulatedCluster
from tests.gitops.conftest import PROGRAM

pytestmark = pytest.mark.cluster


@dataclass
class Site:
    """A cluster, and the program deployed to it with options."""

    cluster: Cluster
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def engine(self) -> HelmAndKubectl:
        return HelmAndKubectl(PROGRAM, self.cluster, self.said.append)

    def stack(self, **options: object) -> Path:
        path = self.folder / "Pulumi.test.yaml"
        path.write_text(f"config: {{inference-mesh:options: {json.dumps(options)}}}\n")
        return path

    def up(self, **options: object) -> Plan:
        return self.engine.up(self.stack(**options))

    def preview(self, **options: object) -> Plan:
        return self.engine.preview(self.stack(**options))

    def versions(self) -> dict[str, str]:
        """The resourceVersion of each object of the program."""
        kinds = "configmaps,deployments,secrets,widgets.example.com"
        found = self.cluster.get(kinds, "--namespace=widgets")["items"]
        return {
            f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for item in found
        }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    simulated = SimulatedCluster(tmp_path_factory.mktemp("cluster") / ".sim")
    simulated.start()
    tools = simulated.tools
    yield Cluster(simulated.kubeconfig, str(tools / "kubectl"), str(tools / "helm"))
    simulated.stop()


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> Site:
    return Site(cluster, tmp_path)


@pytest.fixture
def deployed(site: Site) -> Site:
    site.up()
    return site


def lines(plan: Plan) -> list[str]:
    return plan.lines()[:-1]


def test_a_preview_before_anything_is_there_shows_all_as_new(site: Site) -> None:
    assert lines(site.preview()) == [
        "+ Namespace widgets",
        "+ release widgets/widgets (chart 1.0.0)",
        "+ Deployment widgets/web",
        "+ Secret widgets/web",
        "+ Widget widgets/web",
    ]
    assert site.cluster.get("namespace", "widgets") is None


def test_the_workload_is_ready_when_up_returns(deployed: Site) -> None:
    deployment = deployed.cluster.get("deployment", "web", "--namespace=widgets")
    assert deployment["status"]["availableReplicas"] == 1
    assert deployed.cluster.get("widget", "web", "--namespace=widgets")["spec"] == {"size": 3}


def test_a_second_run_changes_nothing(deployed: Site) -> None:
    before = deployed.versions()
    assert deployed.up().changes == ()
    assert deployed.versions() == before


def test_only_what_differs_is_touched(deployed: Site) -> None:
    before = deployed.versions()
    assert lines(deployed.up(size=4)) == ["~ Widget widgets/web (size)"]
    after = deployed.versions()
    assert {name for name in after if after[name] != before[name]} == {"Widget/web"}


def test_a_change_made_by_hand_is_undone(deployed: Site) -> None:
    deployed.cluster.run_kubectl(
        "set", "image", "deployment/web", "main=elsewhere:1", "--namespace=widgets"
    )
    assert lines(deployed.up()) == ["~ Deployment widgets/web (image)"]


def test_a_chart_is_upgraded_when_its_values_change(deployed: Site) -> None:
    assert lines(deployed.up(colour="green")) == ["~ release widgets/widgets (chart 1.0.0)"]
    colours = deployed.cluster.get("configmap", "colours", "--namespace=widgets")
    assert colours["data"] == {"colour": "green"}


def test_what_the_program_no_longer_has_is_deleted(deployed: Site) -> None:
    deployed.up(more=True)
    assert lines(deployed.up()) == ["- ConfigMap widgets/more"]
    assert "ConfigMap/more" not in deployed.versions()


def test_a_preview_says_what_up_then_does(deployed: Site) -> None:
    before = deployed.versions()
    expected = deployed.preview(more=True, colour="yellow", image="a:2")
    assert deployed.versions() == before
    assert deployed.up(more=True, colour="yellow", image="a:2") == expected


@pytest.mark.parametrize("command", [Site.up, Site.preview])
def test_a_refused_object_is_named_before_anything_is_touched(
    deployed: Site, command: Callable[..., Plan]
) -> None:
    before = deployed.versions()
    with pytest.raises(GitopsError, match=r"Widget widgets/web: .*spec\.size: Invalid value: 0"):
        command(deployed, size=0, colour="pink")
    assert deployed.versions() == before


def test_a_rollout_that_fails_is_explained_and_a_rerun_mends_it(deployed: Site) -> None:
    with pytest.raises(GitopsError, match=r"(?s)Deployment widgets/web did not.*nodes are avail"):
        deployed.up(nodes={"zone": "nowhere"})
    assert lines(deployed.up()) == ["~ Deployment widgets/web (nodeSelector, zone)"]


def test_a_release_whose_upgrade_was_cut_short_is_mended(deployed: Site) -> None:
    name = "sh.helm.release.v1.widgets.v"
    secrets = deployed.cluster.get("secrets", "--namespace=widgets", "-l=owner=helm")["items"]
    newest: dict[str, Any] = max(
        secrets, key=lambda item: int(item["metadata"]["labels"]["version"])
    )
    version = int(newest["metadata"]["labels"]["version"]) + 1
    release = json.loads(
        gzip.decompress(base64.b64decode(base64.b64decode(newest["data"]["release"])))
    )
    release["version"], release["info"]["status"] = version, "pending-upgrade"
    data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode())))
    labels = {"version": str(version), "status": "pending-upgrade"}
    metadata = {
        "name": f"{name}{version}",
        "namespace": "widgets",
        "labels": newest["metadata"]["labels"] | labels,
    }
    deployed.cluster.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": metadata,
                "type": newest["type"],
                "data": {"release": data.decode()},
            }
        ]
    )
    assert lines(deployed.up()) == ["~ release widgets/widgets (chart 1.0.0)"]
    assert deployed.up().changes == ()


def test_a_webhook_that_does_not_answer_holds_up_only_what_needs_it(deployed: Site) -> None:
    silent = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "silent"},
        "webhooks": [
            {
                "name": "silent.example.com",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "widgets"}},
                "rules": [
                    {
                        "apiGroups": ["example.com"],
                        "apiVersions": ["*"],
                        "operations": ["*"],
                        "resources": ["widgets"],
                    }
                ],
            }
        ],
    }
    deployed.cluster.apply([silent])
    try:
        with pytest.raises(GitopsError, match=r"Widget widgets/web: .*failed calling webhook"):
            deployed.up(size=5, image="a:3")
        deployment = deployed.cluster.get("deployment", "web", "--namespace=widgets")
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "a:3"
    finally:
        deployed.cluster.delete([silent])
    assert lines(deployed.up(size=5, image="a:3")) == ["~ Widget widgets/web (size)"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chart": "charts/none"}, "no Chart.yaml there.*charts/none"),
        (
            {"chart": "widgets", "repo": "https://127.0.0.1:1/charts"},
            "connection refused.*mirror",
        ),
        ({"chart": "oci://127.0.0.1:1/widgets"}, "connection refused.*mirror"),
    ],
)
def test_a_broken_chart_source_is_told_with_a_way_out(
    deployed: Site, options: dict[str, object], message: str
) -> None:
    with pytest.raises(GitopsError, match=f"(?s){message}"):
        deployed.up(**options)


def test_an_unreachable_cluster_is_told_with_its_kubeconfig(site: Site) -> None:
    kubeconfig = site.folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
        "contexts: [{name: a, context: {cluster: a}}]\n"
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n"
    )
    nowhere = replace(site, cluster=replace(site.cluster, kubeconfig=kubeconfig))
    with pytest.raises(GitopsError, match=f"(?s)kubeconfig {kubeconfig}.*127.0.0.1:1.*refused"):
        nowhere.up()


def test_down_leaves_nothing_and_may_be_repeated(deployed: Site) -> None:
    deployed.engine.down(deployed.stack())
    assert deployed.cluster.get("namespace", "widgets") is None
    kept = deployed.cluster.get("configmap", "inference-mesh-test", "--namespace=kube-system")
    assert kept is None
    deployed.engine.down(deployed.stack())
    assert deployed.said[-1] == "nothing is deployed for stack test"
