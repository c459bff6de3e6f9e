"""The real istiod of a simulated cluster: a local process that stands in for the istiod pod.

It is `pilot-discovery` with the arguments and the environment of the Deployment that the istiod
chart makes, so that chart values have their real effect.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simcluster import processes, toolchain
from simcluster.api import Api
from simcluster.state import State

SELECTOR = "app=istiod"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"


@dataclass(frozen=True)
class Plan:
    """What to run for one istiod Deployment; a plan that differs means another process."""

    namespace: str
    revision: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    fingerprint: str


def plan(deployment: dict[str, Any], injector: bool) -> Plan:
    """The plan for a Deployment of the istiod chart.

    istiod looks for the ConfigMap of its injector once, when it starts, so `injector`, whether
    that exists, is part of the plan. Variables that come from ConfigMaps, Secrets or resource
    limits are left out.
    """
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    container = template["spec"]["containers"][0]
    fields = {
        # The same name after a restart, so that the process gets its leader leases back at once.
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "spec.serviceAccountName": template["spec"].get("serviceAccountName", "default"),
        "status.podIP": "127.0.0.1",
    }
    # The webhooks reach the process as localhost, so its certificate must have that name.
    environment = {"ISTIOD_CUSTOM_HOST": "localhost"}
    for variable in container.get("env", []):
        field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        if field in fields:
            environment[variable["name"]] = fields[field]
        elif "valueFrom" not in variable:
            environment[variable["name"]] = variable.get("value", "")
    # A path in the pod, for an istiod that serves another cluster.
    environment.pop("KUBECONFIG", None)
    content = json.dumps([metadata["uid"], template, injector], sort_keys=True)
    return Plan(
        namespace=metadata["namespace"],
        revision=template["metadata"]["labels"]["istio.io/rev"],
        arguments=tuple(container["args"]),
        environment=tuple(sorted(environment.items())),
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
    )


def find_plan(api: Api) -> Plan | None:
    """The plan for the newest istiod Deployment of the cluster, where there is one."""
    deployments = api.list("/apis/apps/v1/deployments", SELECTOR)
    if not deployments:
        return None
    newest = max(deployments, key=lambda item: str(item["metadata"]["creationTimestamp"]))
    labels, namespace = newest["metadata"]["labels"], newest["metadata"]["namespace"]
    suffix = "" if labels["istio.io/rev"] == "default" else f"-{labels['istio.io/rev']}"
    injector = f"/api/v1/namespaces/{namespace}/configmaps/istio-sidecar-injector{suffix}"
    return plan(newest, api.find(injector) is not None)


class Istiod:
    """One running istiod, for one plan."""

    def __init__(self, directory: Path, state: State, wanted: Plan) -> None:
        self.plan = wanted
        self._ports = state.ports
        self._serving = False
        # istiod looks for files of its pod under the working directory.
        home = directory / "istiod"
        home.mkdir(exist_ok=True)
        with (directory / "logs" / "istiod.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    toolchain.bin_dir() / processes.ISTIOD,
                    *wanted.arguments,
                    f"--kubeconfig={directory / 'kubeconfig'}",
                    f"--httpAddr=127.0.0.1:{self._ports['istiod_http']}",
                    f"--httpsAddr=127.0.0.1:{self._ports['istiod_https']}",
                    f"--grpcAddr=127.0.0.1:{self._ports['istiod_grpc']}",
                    f"--secureGRPCAddr=127.0.0.1:{self._ports['istiod_secure_grpc']}",
                    f"--monitoringAddr=127.0.0.1:{self._ports['istiod_monitoring']}",
                    f"--ctrlz_port={self._ports['istiod_ctrlz']}",
                ],
                cwd=home,
                env={"HOME": str(home), **dict(wanted.environment)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def is_serving(self, api: Api) -> bool:
        """Whether admission works: istiod is ready and the webhooks trust its certificate."""
        if not self._serving:
            self._serving = is_ready(self._ports) and self._is_trusted(api)
        return self._serving

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_trusted(self, api: Api) -> bool:
        own = f"https://localhost:{self._ports['istiod_https']}/"
        label = f"istio.io/rev={self.plan.revision}"
        clients = [
            webhook["clientConfig"]
            for kind in ("mutating", "validating")
            for configuration in api.list(f"{ADMISSION}/{kind}webhookconfigurations", label)
            for webhook in configuration.get("webhooks", [])
        ]
        return all(
            "caBundle" in client for client in clients if client.get("url", "").startswith(own)
        )


def is_ready(ports: dict[str, int]) -> bool:
    """Whether the istiod on these ports says that it is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['istiod_http']}/ready", timeout=2):
            return True
    except (OSError, urllib.error.HTTPError):
        return False
