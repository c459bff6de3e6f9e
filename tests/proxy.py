"""What istiod makes of our resources: the Envoy configuration that it sends to a pod's proxy.

A resource that is accepted may still have no effect; this asks for the effect.
https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import envoy
import grpc
import udpa
import xds
from envoy.config.core.v3.base_pb2 import Node
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from simcluster.cluster import SimulatedCluster

TYPES = {
    "cluster": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "endpoint": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "listener": "type.googleapis.com/envoy.config.listener.v3.Listener",
    "route": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
}

Resource = dict[str, Any]


@dataclass(frozen=True)
class Proxy:
    """The proxy of one pod, as istiod knows it by its node id."""

    cluster: SimulatedCluster
    kind: str
    """`sidecar`, `router` or `waypoint`."""
    pod: Resource

    @classmethod
    def of(cls, cluster: SimulatedCluster, kind: str, namespace: str, selector: str) -> Proxy:
        """The proxy of the first pod that the selector finds."""
        command = ["get", "pods", "--namespace", namespace, "--selector", selector, "-o", "json"]
        answer = subprocess.check_output(
            [cluster.tools / "kubectl", f"--kubeconfig={cluster.kubeconfig}", *command]
        )
        return cls(cluster, kind, json.loads(answer)["items"][0])

    def clusters(self) -> dict[str, Resource]:
        return {item["name"]: item for item in self._ask("cluster")}

    def listeners(self) -> dict[str, Resource]:
        return {item["name"]: item for item in self._ask("listener")}

    def routes(self, *names: str) -> dict[str, Resource]:
        """Route configurations by name, for example `http.8080` of a gateway."""
        return {item["name"]: item for item in self._ask("route", names)}

    def addresses(self, cluster: str) -> set[str]:
        """Where requests to a cluster go: IP addresses, or those of the tunnel to them."""
        addresses = [each["endpoint"]["address"] for each in self._endpoints(cluster)]
        return {
            each["socketAddress"]["address"]
            if "socketAddress" in each
            else each["envoyInternalAddress"]["endpointId"].partition(":")[0]
            for each in addresses
        }

    def mutual_tls(self, cluster: str) -> set[bool]:
        """Whether the endpoints of a cluster are spoken to so: both, if they differ."""
        metadata = [each.get("metadata", {}) for each in self._endpoints(cluster)]
        matches = [each.get("filterMetadata", {}) for each in metadata]
        return {
            each.get("envoy.transport_socket_match", {}).get("tlsMode") == "istio"
            for each in matches
        }

    def _endpoints(self, cluster: str) -> list[Resource]:
        (assignment,) = self._ask("endpoint", (cluster,))
        localities = assignment.get("endpoints", [])
        return [each for locality in localities for each in locality["lbEndpoints"]]

    def _node(self) -> Node:
        metadata, status = self.pod["metadata"], self.pod["status"]
        name, namespace = metadata["name"], metadata["namespace"]
        identity = f"{self.kind}~{status['podIP']}~{name}.{namespace}~{namespace}.svc.cluster.local"
        known = {
            "NAMESPACE": namespace,
            "NAME": name,
            "LABELS": metadata["labels"],
            "CLUSTER_ID": "Kubernetes",
            "SERVICE_ACCOUNT": self.pod["spec"]["serviceAccountName"],
            "ISTIO_VERSION": "1.31.1",
            "POD_PORTS": self._ports(),
        }
        return ParseDict({"id": identity, "metadata": known}, Node())

    def _ports(self) -> str:
        """What a named port of a Service is in this pod, as the injector tells the proxy."""
        spec = self.pod["spec"]
        containers = [*spec.get("initContainers", []), *spec["containers"]]
        variables = [entry for container in containers for entry in container.get("env", [])]
        told = [entry["value"] for entry in variables if entry["name"] == "ISTIO_META_POD_PORTS"]
        return str(told[0]) if told else "[]"

    def _ask(self, kind: str, names: tuple[str, ...] = ()) -> Iterator[Resource]:
        know_all_messages()
        request = DiscoveryRequest(
            node=self._node(), type_url=TYPES[kind], resource_names=list(names)
        )
        address = f"127.0.0.1:{self.cluster.ports['istiod_grpc']}"
        with grpc.insecure_channel(address) as channel:
            stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
            answers = stub.StreamAggregatedResources(iter([request]), timeout=10)
            for resource in next(answers).resources:
                yield _readable(resource)


def _readable(resource: Message) -> Resource:
    """As JSON; of Istio's own messages, which no package describes, only the type is kept."""
    while True:
        try:
            return MessageToDict(resource)
        except TypeError as error:
            unknown = str(error).partition("type.googleapis.com/")[2]
            if not unknown:
                raise
            package, _, name = unknown.rpartition(".")
            file = FileDescriptorProto(name=f"{unknown}.proto", package=package)
            file.message_type.add(name=name)
            descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


@cache
def know_all_messages() -> None:
    """Envoy's configuration nests messages of any type, which have to be known to be read."""
    for package in (envoy, udpa, xds):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("_pb2"):
                importlib.import_module(module.name)
