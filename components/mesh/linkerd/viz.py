"""Linkerd's metrics: the viz extension, and who may read its Prometheus.

https://linkerd.io/2-edge/features/telemetry/
"""

from __future__ import annotations

from typing import Any

from components.chart import Chart, Part, Values, merge_values
from components.kubernetes import Manifest, manifest, recommended_labels
from components.mesh.linkerd import issuer
from components.mesh.linkerd.injection import PRIVILEGED
from components.mesh.linkerd.settings import LinkerdSettings, VizSettings

NAMESPACE = "linkerd-viz"

SERVER = "prometheus-admin"
"""The Server of the extension's Prometheus, which the chart makes, and closes to most."""

_POD = "__meta_kubernetes_pod"


def parts(settings: LinkerdSettings, repository: str) -> tuple[Part, ...]:
    viz = settings.viz
    if viz is None:
        return ()
    values = merge_values(
        {
            "linkerdNamespace": issuer.NAMESPACE,
            "identityTrustDomain": settings.trust_domain,
        },
        _prometheus(viz),
        _high_availability() if settings.high_availability else {},
        settings.values.viz,
    )
    chart = Chart("linkerd-viz", "linkerd-viz", NAMESPACE, settings.version, repository, values)
    return (_namespace(), chart, *_readers(viz))


def _namespace() -> Manifest:
    labels = recommended_labels(NAMESPACE, "metrics") | {"linkerd.io/extension": "viz"}
    return manifest("v1", "Namespace", NAMESPACE, labels=labels | PRIVILEGED)


def _prometheus(viz: VizSettings) -> Values:
    if viz.prometheus is not None:
        return {"prometheusUrl": viz.prometheus, "prometheus": {"enabled": False}}
    arguments = {"storage.tsdb.retention.time": viz.retention}
    return {"prometheus": {"args": arguments, "scrapeConfigs": [_model_servers()]}}


def _high_availability() -> Values:
    """https://github.com/linkerd/linkerd2/blob/main/viz/charts/linkerd-viz/values-ha.yaml"""
    return {
        "enablePodAntiAffinity": True,
        "enablePodDisruptionBudget": True,
        "tap": {"replicas": 3},
    }


def _model_servers() -> dict[str, Any]:
    """The metrics of the servers themselves, beside those of the proxies, which the chart has."""
    annotation = f"{_POD}_annotation_prometheus_io"
    address = [f"{_POD}_ip", f"{annotation}_port"]
    return {
        "job_name": "inference-mesh",
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [f"{annotation}_scrape"], "action": "keep", "regex": "true"},
            {
                "source_labels": [f"{_POD}_label_app_kubernetes_io_part_of"],
                "action": "keep",
                "regex": "inference-mesh",
            },
            {"source_labels": [f"{annotation}_path"], "target_label": "__metrics_path__"},
            {"source_labels": address, "separator": ":", "target_label": "__address__"},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{_POD}_name"], "target_label": "pod"},
            {"action": "labelmap", "regex": f"{_POD}_label_(app|version)"},
        ],
    }


def _readers(viz: VizSettings) -> tuple[Manifest, ...]:
    if viz.prometheus is not None or not viz.readers:
        return ()
    group, name = "policy.linkerd.io", "prometheus-readers"
    who = {"identities": [issuer.of_principal(reader) for reader in viz.readers]}
    policy = {
        "targetRef": {"group": group, "kind": "Server", "name": SERVER},
        "requiredAuthenticationRefs": [
            {"group": group, "kind": "MeshTLSAuthentication", "name": name}
        ],
    }
    return (
        manifest(f"{group}/v1alpha1", "MeshTLSAuthentication", name, NAMESPACE, spec=who),
        manifest(f"{group}/v1alpha1", "AuthorizationPolicy", name, NAMESPACE, spec=policy),
    )
