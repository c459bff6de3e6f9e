"""The program under the real Pulumi CLI: preview, up, up again, a change, a secret, destroy."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simcluster.cluster import SimulatedCluster

ROOT = Path(__file__).parents[1]
TOKEN = "hf_only_for_this_test"

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.pulumi,
    pytest.mark.skipif(
        not (shutil.which("pulumi") and shutil.which("pulumi-resource-kubernetes")),
        reason="pulumi and pulumi-resource-kubernetes are not on PATH",
    ),
]


class Project:
    """A copy of the program, with a simulated cluster of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("__main__.py", "Pulumi.yaml", "Pulumi.local.yaml", "components", "stacks"):
            origin = ROOT / name
            (shutil.copytree if origin.is_dir() else shutil.copy)(origin, folder / name)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        (folder / "state").mkdir()
        self.cluster = SimulatedCluster(folder / ".sim")

    def pulumi(self, *arguments: str) -> str:
        environment = os.environ | {
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PATH": f"{self.cluster.tools}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "for this test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        answer = subprocess.run(
            ["pulumi", "--non-interactive", "--stack", "local", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def changes(self, command: str, *arguments: str) -> dict[str, int]:
        """How many resources a command would change, or has changed, by what was done."""
        text = self.pulumi(command, *arguments)
        summary = text[text.rindex("Resources:") :]
        found = re.findall(r"(\d+) (?:to )?(\w+)", summary.partition("Duration")[0])
        return {word: int(number) for number, word in found}

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "Pulumi.local.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("pulumi"))
    try:
        made.cluster.start()
        made.pulumi("stack", "init")
        yield made
    finally:
        made.cluster.stop()


def test_the_life_of_a_stack(project: Project) -> None:
    previewed = project.changes("preview")
    created = project.changes("up", "--yes", "--skip-preview")
    assert created["created"] == previewed["create"] > 20

    assert project.changes("up", "--yes", "--skip-preview") == {"unchanged": created["created"]}
    assert project.changes("refresh", "--yes") == {"unchanged": created["created"]}

    project.edit("weight: 10", "weight: 20")
    assert project.changes("up", "--yes", "--skip-preview")["updated"] == 1

    project.edit("deepseek-r1-1.5b:", "deepseek-two:")
    renamed = project.changes("up", "--yes", "--skip-preview")
    assert renamed["updated"] == 3, "the Service, which keeps its name, and its routes"
    project.edit("deepseek-two:", "deepseek-r1-1.5b:")
    assert project.changes("up", "--yes", "--skip-preview") == renamed

    secret = 'inference-mesh:models["deepseek-r1-1.5b"].huggingFaceToken'
    project.pulumi("config", "set", "--secret", "--path", secret, TOKEN)
    changed = project.changes("up", "--yes", "--skip-preview")
    assert changed["created"] == 1
    assert changed["updated"] == 2
    state = project.pulumi("stack", "export")
    assert TOKEN not in state
    kinds = [resource["type"] for resource in json.loads(state)["deployment"]["resources"]]
    assert "kubernetes:core/v1:Secret" in kinds

    assert project.changes("destroy", "--yes", "--skip-preview")["deleted"] > 20
    assert project.changes("up", "--yes", "--skip-preview")["created"] > 20
