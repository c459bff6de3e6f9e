"""A small program with one of each: a namespace, a chart, a workload, a custom resource, a secret.

What tests vary comes from the configuration `inference-mesh:options`.
"""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

options: dict[str, Any] = pulumi.Config("inference-mesh").get_object("options") or {}
if "refuse" in options:
    raise pulumi.RunError(options["refuse"])


class Platform(pulumi.ComponentResource):
    """The namespace and the chart."""

    def __init__(self, name: str) -> None:
        super().__init__("inference-mesh:tests:Platform", name)
        child = ResourceOptions(parent=self)
        self.namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": "widgets"}, opts=child
        )
        self.release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name="widgets",
            namespace="widgets",
            chart=options.get("chart", "charts/widgets"),
            version="1.0.0",
            repository_opts={"repo": options["repo"]} if "repo" in options else None,
            values={"colour": options.get("colour", "blue"), **options.get("values", {})},
            timeout=30,
            opts=ResourceOptions(parent=self, depends_on=[self.namespace]),
        )
        self.register_outputs({})


class Service(pulumi.ComponentResource):
    """A workload, what it runs with, and the custom resource that needs the chart."""

    def __init__(self, name: str, platform: Platform) -> None:
        super().__init__(
            "inference-mesh:tests:Service",
            name,
            opts=ResourceOptions(depends_on=[platform.namespace]),
        )
        child = ResourceOptions(parent=self)
        metadata: Any = {"name": name, "namespace": platform.namespace.metadata["name"]}
        kubernetes.core.v1.Secret(
            f"{name}-token",
            metadata=metadata,
            string_data={"token": pulumi.Output.secret("s3cret")},
            opts=child,
        )
        labels = {"app": name}
        template: Any = {
            "metadata": {"labels": labels},
            "spec": {
                "nodeSelector": options.get("nodes", {}),
                "containers": [
                    {
                        "name": "main",
                        "image": options.get("image", "example.com/widgets:1.0"),
                        "ports": [{"name": "http", "containerPort": 8080}],
                    }
                ],
            },
        }
        spec: Any = {
            "replicas": options.get("replicas", 1),
            "progressDeadlineSeconds": 5,
            "selector": {"matchLabels": labels},
            "template": template,
        }
        kubernetes.apps.v1.Deployment(
            name,
            metadata=metadata,
            spec=spec,
            opts=child,
        )
        kubernetes.apiextensions.CustomResource(
            f"{name}-widget",
            api_version="example.com/v1",
            kind="Widget",
            metadata=metadata,
            spec={"size": options.get("size", 3)},
            opts=ResourceOptions(parent=self, depends_on=[platform.release]),
        )
        self.register_outputs({})


platform = Platform("platform")
service = Service("web", platform)
if options.get("more"):
    kubernetes.core.v1.ConfigMap(
        "more",
        metadata={"name": "more", "namespace": "widgets"},
        data={"word": "1e3"},
        opts=ResourceOptions(depends_on=[service]),
    )
if "plain" in options:
    source: Any = pulumi.CustomResource(
        "kubernetes:core/v1:ConfigMap",
        "plain",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "plain", "namespace": "widgets", "labels": {"count": "1"}},
            "data": {"whole": 3.0, "half": 0.5, "list": (1, "a", None), "none": None, "yes": True},
            "immutable": None,
        },
    )
    pulumi.CustomResource(
        "kubernetes:core/v1:ConfigMap",
        "reader",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "reader", "namespace": "widgets"},
            "data": {"labels": source.metadata["labels"], "secret": pulumi.Output.secret("s")},
        },
    )
if "random" in options:
    inputs = {"length": 32, "result": None}
    password: Any = pulumi.CustomResource(
        "random:index/randomPassword:RandomPassword", "api-key", inputs
    )
    key: Any = {"name": "key", "namespace": "widgets"}
    kubernetes.core.v1.Secret("key", metadata=key, string_data={"key": password.result})
if "read" in options:
    kubernetes.core.v1.ConfigMap.get("other", "default/other")
if "twice" in options:
    for _ in range(2):
        kubernetes.core.v1.ConfigMap("twice", metadata={"name": "twice", "namespace": "widgets"})
pulumi.export("size", options.get("size", 3))
