"""Argo CD: a chart as an Application, and the order of the waves as annotations."""

from __future__ import annotations

from typing import Any

from gitops.manifests import Chart

NAMESPACE = "argocd"
_SYNC_WAVE = "argocd.argoproj.io/sync-wave"

# istiod writes both into its webhooks at run time: https://github.com/istio/istio/issues/57643
_WEBHOOK = [".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy"]

# A chart that makes its webhooks' certificates itself makes new ones each time it is rendered, and
# Argo CD renders it again and again. The certificate, the authority that callers trust, and the
# checksum that restarts its pods stay together as they were installed: a new certificate under the
# old authority would have the webhooks refuse every pod.
_STAYS: list[tuple[str, str, list[str]]] = [
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", _WEBHOOK),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", _WEBHOOK),
    ("apiregistration.k8s.io", "APIService", [".spec.caBundle"]),
    ("", "Secret", ['.data["tls.crt"]', '.data["tls.key"]']),
    ("apps", "Deployment", ['.spec.template.metadata.annotations["checksum/config"]']),
]


def chart_objects(chart: Chart, _after: list[Chart]) -> list[dict[str, Any]]:
    """The Application of one chart; sync waves, not the Application, hold its place in order."""
    if chart.repo:
        address, name = chart.repo, chart.chart
    else:
        address, _, name = chart.chart.removeprefix("oci://").rpartition("/")
    helm = {"releaseName": chart.name, "skipCrds": chart.skip_crds, "valuesObject": chart.values}
    return [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": f"{chart.namespace}-{chart.name}",
                "namespace": NAMESPACE,
                "finalizers": ["resources-finalizer.argocd.argoproj.io/foreground"],
            },
            "spec": {
                "project": "default",
                "destination": {
                    "server": "https://kubernetes.default.svc",
                    "namespace": chart.namespace,
                },
                "source": {
                    "repoURL": address,
                    "chart": name,
                    "targetRevision": chart.version,
                    "helm": helm,
                },
                "syncPolicy": {
                    "automated": {"prune": True, "selfHeal": True},
                    "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
                },
                "ignoreDifferences": [
                    {"group": group, "kind": kind, "jqPathExpressions": paths}
                    for group, kind, paths in _STAYS
                ],
            },
        }
    ]


def in_wave(content: dict[str, Any], number: int) -> dict[str, Any]:
    """The object with the annotation that makes Argo CD sync it in order of `number`."""
    metadata = content["metadata"]
    annotations = (metadata.get("annotations") or {}) | {_SYNC_WAVE: str(number)}
    return content | {"metadata": metadata | {"annotations": annotations}}
