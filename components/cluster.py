"""The Kubernetes cluster that a stack is for, and which version it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from components.settings import Settings
from components.types import MinorVersion


class ClusterSettings(Settings):
    """What is known of the cluster before it is touched."""

    version: MinorVersion | None = None
    """Kubernetes minor version, for example '1.36'. Default: asked of the cluster by kubectl,
    where a kubeconfig is to be had; a render without a cluster then does not check it."""


class ClusterUnreachableError(Exception):
    """The cluster did not answer; the message says what was asked and what to do."""


def running_version(kubeconfig: str | None, context: str | None) -> str | None:
    """The minor version of the cluster that kubectl reaches, or None where no kubeconfig exists.

    `kubeconfig` is a path or the file's content, as the Kubernetes provider takes it. Raises
    ClusterUnreachableError with kubectl's own last words.
    """
    if not (kubeconfig or _default_kubeconfig_exists()):
        return None
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise ClusterUnreachableError(
            "kubectl is not on PATH, so the cluster's version cannot be asked; install kubectl, or "
            "set cluster.version, for example '1.36'"
        )
    inline = kubeconfig if kubeconfig and "\n" in kubeconfig else None
    command = [kubectl, "get", "--raw=/version", "--request-timeout=10s"]
    if kubeconfig:
        command.append(f"--kubeconfig={'/dev/stdin' if inline else kubeconfig}")
    if context:
        command.append(f"--context={context}")
    # Without credentials kubectl would ask for some on the terminal.
    asked = inline or ""
    answer = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    if answer.returncode:
        words = (answer.stderr.strip() or "no answer").splitlines()[-1]
        raise ClusterUnreachableError(
            f"the cluster does not answer: {words}; check the kubeconfig and context "
            "(kubectl version), or set cluster.version to skip the question"
        )
    server = json.loads(answer.stdout)
    return f"{server['major']}.{server['minor'].rstrip('+')}"


def _default_kubeconfig_exists() -> bool:
    paths = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")).split(os.pathsep)
    return any(Path(path).is_file() for path in paths if path)
