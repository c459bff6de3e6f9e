"""Istio's control plane: the base, cni and istiod charts, and mesh-wide telemetry."""

from __future__ import annotations

from urllib.parse import urlsplit

from components.chart import Chart, Values, merge_values
from components.kubernetes import Manifest, manifest, topology_spread
from components.mesh.istio.settings import SUPPORTED_KUBERNETES, IstioSettings

NAMESPACE = "istio-system"

REPOSITORY = "https://blob.istio.io/istio-release/charts"
"""The address from 2026 on; storage.googleapis.com goes away."""

TRACING_PROVIDER = "otel"


def kubernetes_problem(settings: IstioSettings, version: str) -> str | None:
    """Why this Istio does not support this Kubernetes, or None."""
    first, last = SUPPORTED_KUBERNETES[settings.minor]
    if first <= int(version.split(".")[1]) <= last:
        return None
    return (
        f"the cluster runs Kubernetes {version}, but Istio {settings.version} supports "
        f"1.{first} to 1.{last}; upgrade the cluster, or choose a mesh.version for it "
        "(https://istio.io/latest/docs/releases/supported-releases/)"
    )


def charts(
    settings: IstioSettings, traces_endpoint: str | None, more: Values | None = None
) -> tuple[Chart, ...]:
    """base, then cni where chosen, then istiod, which reads the CRDs of base at its start."""
    cni = (chart(settings, "cni", "istio-cni", {}, settings.values.cni),) if settings.cni else ()
    return (base(settings), *cni, istiod(settings, traces_endpoint, more or {}))


def base(settings: IstioSettings) -> Chart:
    return chart(settings, "base", "istio-base", _base_values(settings), settings.values.base)


def istiod(settings: IstioSettings, traces_endpoint: str | None, more: Values) -> Chart:
    """istiod with `more` values than every mode of the mesh has."""
    suffix = f"-{settings.revision}" if settings.revision else ""
    values = merge_values(_istiod_values(settings, traces_endpoint), more)
    return chart(settings, "istiod", f"istiod{suffix}", values, settings.values.istiod)


def chart(settings: IstioSettings, name: str, release: str, ours: Values, theirs: Values) -> Chart:
    values = merge_values(ours, theirs)
    return Chart(name, release, NAMESPACE, settings.version, REPOSITORY, values)


def _base_values(settings: IstioSettings) -> Values:
    return {
        "defaultRevision": settings.revision or "default",
        # The default Ignore is flipped to Fail by istiod at run time, which every later
        # `helm upgrade` would flip back for a moment.
        "base": {"validationFailurePolicy": "Fail"},
    }


def _istiod_values(settings: IstioSettings, traces_endpoint: str | None) -> Values:
    values: Values = {
        "base": {"validationFailurePolicy": "Fail"},
        "autoscaleMin": 2 if settings.high_availability else 1,
        "meshConfig": {"trustDomain": settings.trust_domain},
    }
    if settings.high_availability:
        values["topologySpreadConstraints"] = [
            topology_spread("kubernetes.io/hostname", {"app": "istiod"})
        ]
    else:
        values["autoscaleEnabled"] = False
    if settings.revision:
        values["revision"] = settings.revision
    if settings.cni:
        values["cni"] = {"enabled": True}
    if traces_endpoint:
        values["meshConfig"] |= {"extensionProviders": [_tracing_provider(traces_endpoint)]}
    return values


def _tracing_provider(endpoint: str) -> Values:
    """https://istio.io/latest/docs/tasks/observability/distributed-tracing/opentelemetry/"""
    address = urlsplit(endpoint)
    return {
        "name": TRACING_PROVIDER,
        "opentelemetry": {"service": address.hostname, "port": address.port},
    }


def telemetry(traces_endpoint: str | None, sampling_percent: float) -> tuple[Manifest, ...]:
    """Traces of every proxy to the collector; nothing without one."""
    if not traces_endpoint:
        return ()
    tracing = {
        "providers": [{"name": TRACING_PROVIDER}],
        "randomSamplingPercentage": sampling_percent,
    }
    return (
        manifest(
            "telemetry.istio.io/v1",
            "Telemetry",
            "mesh-default",
            NAMESPACE,
            spec={"tracing": [tracing]},
        ),
    )
