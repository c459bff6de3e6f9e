"""The cluster, reached with kubectl and helm."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops.errors import GitopsError

FIELD_MANAGER = "inference-mesh"
_INSTALL = {
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
}


class RefusedError(GitopsError):
    """What the API server would not take, object by object."""


@dataclass(frozen=True)
class Answer:
    """How a tool ended and what it said."""

    code: int
    text: str
    errors: str

    @property
    def last_words(self) -> str:
        lines = [line for line in self.errors.strip().splitlines() if line.strip()]
        last = lines[-1] if lines else f"exit code {self.code}"
        return re.sub(r"^error: ", "", last, flags=re.IGNORECASE)


@dataclass(frozen=True)
class Cluster:
    """A kubeconfig and the two tools, each a path or a name on PATH."""

    kubeconfig: Path
    kubectl: str = "kubectl"
    helm: str = "helm"
    context: str | None = None
    """Of the kubeconfig; None is its current context."""

    def run_kubectl(self, *arguments: str, objects: Iterable[dict[str, Any]] = ()) -> Answer:
        """Run kubectl; `objects` go to its standard input, for `-f -`."""
        items = list(objects)
        listed = {"apiVersion": "v1", "kind": "List", "items": items}
        context = [f"--context={self.context}"] if self.context else []
        command = [self.kubectl, f"--kubeconfig={self.kubeconfig}", *context, *arguments]
        return _run("kubectl", command, json.dumps(listed) if items else "")

    def run_helm(self, *arguments: str, text: str = "", directory: Path | None = None) -> Answer:
        """Run helm, in `directory` if chart folders are relative to one."""
        context = [f"--kube-context={self.context}"] if self.context else []
        command = [self.helm, f"--kubeconfig={self.kubeconfig}", *context, *arguments]
        return _run("helm", command, text, directory)

    def get(self, *arguments: str, objects: Iterable[dict[str, Any]] = ()) -> Any:
        """What `kubectl get -o json` answers; None if there is no such thing.

        Raises GitopsError with kubectl's last words, of a cluster that cannot be reached first.
        """
        answer = self.run_kubectl(
            "get", *arguments, "-o=json", "--ignore-not-found", "--request-timeout=15s",
            objects=objects,
        )  # fmt: skip
        self.check(answer)
        return json.loads(answer.text) if answer.text.strip() else None

    def table(self, *arguments: str) -> list[list[str]]:
        """The rows that kubectl prints, as words."""
        answer = self.run_kubectl(*arguments, "--no-headers", "--request-timeout=15s")
        self.check(answer)
        return [line.split() for line in answer.text.splitlines()]

    def apply(self, objects: list[dict[str, Any]], dry_run: bool = False) -> None:
        """Server-side apply. Raises RefusedError that names each object with the reason."""
        answer = self.run_kubectl(
            "apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}",
            *(["--dry-run=server"] if dry_run else []), "-o=name", "-f=-",
            objects=objects,
        )  # fmt: skip
        if answer.code:
            raise RefusedError(_refusal(objects, answer))

    def delete(self, objects: list[dict[str, Any]], timeout: int = 300) -> None:
        """Delete what is there, and wait until it is gone; `timeout` in seconds."""
        answer = self.run_kubectl(
            "delete", "--ignore-not-found", "--wait", f"--timeout={timeout}s", "-f=-",
            objects=objects,
        )  # fmt: skip
        if answer.code:
            raise GitopsError(f"deleting failed: {answer.last_words}\nRun the command again.")

    def check(self, answer: Answer) -> None:
        """Raise the error that a failed request means."""
        if not answer.code:
            return
        raise GitopsError(
            f"the cluster of kubeconfig {self.kubeconfig} does not answer as it should: "
            f"{answer.last_words}\nIs it running, and does `kubectl --kubeconfig {self.kubeconfig} "
            "get namespaces` work?"
        )


def _run(tool: str, command: list[str], text: str, directory: Path | None = None) -> Answer:
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, cwd=directory
        )
    except (FileNotFoundError, PermissionError):
        raise GitopsError(
            f"{tool} is needed and there is none at {command[0]!r}: install it ({_INSTALL[tool]})"
        ) from None
    return Answer(done.returncode, done.stdout, done.stderr)


def _refusal(objects: list[dict[str, Any]], answer: Answer) -> str:
    """kubectl names what it applied, in order, and says why for the rest, in order."""
    applied = answer.text.splitlines()
    refused = []
    for item in objects:
        group = item["apiVersion"].rpartition("/")[0].partition("/")[0]
        kind = ".".join(part for part in (item["kind"].lower(), group) if part)
        if applied and applied[0] == f"{kind}/{item['metadata']['name']}":
            applied.pop(0)
        else:
            namespace = item["metadata"].get("namespace")
            where = f"{namespace}/" if namespace else ""
            refused.append(f"{item['kind']} {where}{item['metadata']['name']}")
    starts = re.compile(r"^(?=Error from server|The \w+ \"|error: )", re.MULTILINE)
    reasons = [part.strip() for part in starts.split(answer.errors) if part.strip()]
    if len(reasons) == len(refused):
        lines = [f"  {name}: {_reason(text)}" for name, text in zip(refused, reasons, strict=True)]
    else:
        lines = [f"  {name}" for name in refused] + [f"  {_reason(text)}" for text in reasons]
    return "the API server refused:\n" + "\n".join(lines)


def _reason(text: str) -> str:
    return re.sub(r"^Error from server(?: \(\w+\))?: (?:error when [^:]*: )?", "", text)
