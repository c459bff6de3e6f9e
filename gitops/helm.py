"""Charts put into a cluster, and taken out, by helm."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gitops import rollout
from gitops.cluster import Answer, Cluster
from gitops.errors import GitopsError
from gitops.inventory import ReleaseEntry
from gitops.manifests import Chart
from gitops.plan import LiveRelease

_UNINSTALL_TIMEOUT = "5m"


def check_folders(charts: list[Chart], directory: Path) -> None:
    """Raise GitopsError if a chart is said to be a folder and is none."""
    missing = [
        f"  {chart}: {chart.chart}"
        for chart in charts
        if chart.is_local
        and not (directory / chart.chart).is_file()
        and not (directory / chart.chart / "Chart.yaml").is_file()
    ]
    if missing:
        raise GitopsError(
            "these charts are not where the stack file says (no Chart.yaml there):\n"
            + "\n".join(missing)
            + "\nCorrect `charts` in the stack file, or leave it out to use the official "
            "repositories."
        )


def install(cluster: Cluster, chart: Chart, directory: Path) -> int:
    """Install or upgrade a release, wait until it is ready, and return its revision."""
    answer = cluster.run_helm(
        "upgrade", chart.name, chart.chart, "--install", f"--namespace={chart.namespace}",
        "--values=-", "--wait", f"--timeout={chart.timeout}s", "--force-conflicts", "--output=json",
        *([f"--version={chart.version}"] if chart.version else []),
        *([f"--repo={chart.repo}"] if chart.repo else []),
        *(["--skip-crds"] if chart.skip_crds else []),
        text=json.dumps(chart.values),
        directory=directory,
    )  # fmt: skip
    if answer.code:
        raise GitopsError(_failure(cluster, chart, answer))
    return int(json.loads(answer.text)["version"])


def mend(cluster: Cluster, entry: ReleaseEntry, live: LiveRelease | None) -> None:
    """Take away the record of an operation that was cut short, which helm would wait for forever.

    What it made stays, and is adopted by the operation that follows.
    """
    if live and live.status.startswith("pending-"):
        record = f"sh.helm.release.v1.{entry.release}.v{live.revision}"
        metadata = {"name": record, "namespace": entry.namespace}
        cluster.delete([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata}])


def uninstall(cluster: Cluster, entry: ReleaseEntry) -> None:
    """Remove a release and what it made, if it is there."""
    answer = cluster.run_helm(
        "uninstall", entry.release, f"--namespace={entry.namespace}", "--ignore-not-found",
        "--wait", f"--timeout={_UNINSTALL_TIMEOUT}",
    )  # fmt: skip
    if answer.code:
        raise GitopsError(f"uninstalling {entry} failed: {answer.last_words}\nRun it again.")


def _failure(cluster: Cluster, chart: Chart, answer: Answer) -> str:
    words = answer.last_words
    message = f"{chart} could not be installed from chart {chart.chart}"
    message += f" of {chart.repo}: {words}" if chart.repo else f": {words}"
    if re.search(r"timed? ?out|deadline exceeded|not ready", words, re.IGNORECASE):
        return "\n".join([message, *rollout.unready(cluster, chart.namespace, chart.name)])
    if re.search(r"no such host|dial tcp|download|fetch|not found|repository|registry|EOF", words):
        return (
            message + "\nThe chart cannot be had from there. Check the network and the version, or "
            "set `charts` in the stack file to a folder of charts or to a mirror (oci://... or "
            "https://...)."
        )
    return message
