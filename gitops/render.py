"""A program written as what a GitOps repository holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from gitops import argocd, flux
from gitops import secrets as secret_values
from gitops.errors import GitopsError
from gitops.manifests import Chart, Wave
from gitops.secrets import REFUSE, Secrets
from gitops.text import document, documents

Format = Literal["flux", "argocd"]
Files = dict[str, str]
"""Text by path relative to the rendered folder."""

_MARK = ".inference-mesh-rendered"
_MARK_TEXT = "This folder is written by `make render`; what is edited here is lost.\n"


def files(
    waves: tuple[Wave, ...], layout: Format = "flux", secrets: Secrets = REFUSE, path: str = "."
) -> Files:
    """All files of the repository folder, sorted by path.

    `path` is where the folder lies in the repository; only Flux needs it. Raises GitopsError for
    secret values in files and for charts that a cluster cannot reach.
    """
    _check_charts(waves)
    if (found := secret_values.found(waves, secrets)) and not secrets.include:
        raise secret_values.refusal(found)
    result: Files = {}
    folders: dict[str, int] = {}
    written: dict[str, dict[str, Any]] = {}
    for number, wave in enumerate(waves):
        folder = f"{number * 10:02}-{_name(wave)}"
        folders[folder] = wave.ready_seconds
        names = []
        for content in _contents(waves, number, layout, secrets):
            name = _file_name(content)
            if written.get(name) == content:
                continue
            if name in written:
                name = f"{content['apiVersion'].partition('/')[0]}-{name}"
            written[name] = content
            names.append(name)
            placed = content if layout == "flux" else argocd.in_wave(content, number * 10)
            result[f"{folder}/{name}"] = document(placed)
        result[f"{folder}/kustomization.yaml"] = _kustomization(sorted(names))
    if layout == "flux":
        result["flux.yaml"] = documents(flux.wave_objects(folders, path))
    result["kustomization.yaml"] = _kustomization(
        ["flux.yaml"] if layout == "flux" else list(folders)
    )
    return dict(sorted(result.items()))


def write(out: Path, files: Files) -> None:
    """Put the files in place of `out` in one step.

    Raises GitopsError if `out` holds anything that was not rendered.
    """
    if out.exists() and not out.is_dir():
        raise GitopsError(f"OUT={out} is a file: name a folder to write to")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).exists():
        raise GitopsError(f"OUT={out} holds files that were not rendered: name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        fresh, old = Path(scratch, "fresh"), Path(scratch, "old")
        for name, text in {_MARK: _MARK_TEXT, **files}.items():
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        if out.exists():
            out.rename(old)
        fresh.rename(out)


def _check_charts(waves: tuple[Wave, ...]) -> None:
    charts = [chart for wave in waves for chart in wave.charts]
    if local := [f"  {chart}: {chart.chart}" for chart in charts if chart.is_local]:
        raise GitopsError(
            "these charts lie in a folder of this machine, where a cluster cannot reach them:\n"
            + "\n".join(local)
            + "\nLeave `charts` out of the stack file to use the official repositories, or set it "
            "to a mirror: oci://... or https://..."
        )
    if loose := [f"  {chart}" for chart in charts if not chart.version]:
        raise GitopsError("these charts have no version to pin:\n" + "\n".join(loose))


def _contents(
    waves: tuple[Wave, ...], number: int, layout: Format, secrets: Secrets
) -> Iterator[dict[str, Any]]:
    chart_objects = flux.chart_objects if layout == "flux" else argocd.chart_objects
    for chart in waves[number].charts:
        yield from chart_objects(chart, _charts_before(waves[:number]))
    for item in waves[number].objects:
        if secrets.store and secret_values.secret_keys(item):
            yield secret_values.external_secret(item, secrets.store)
        else:
            yield item.content


def _charts_before(waves: tuple[Wave, ...]) -> list[Chart]:
    """The charts of the nearest earlier wave that has any; those waited for their own."""
    return next((list(wave.charts) for wave in reversed(waves) if wave.charts), [])


def _name(wave: Wave) -> str:
    """What is in it: the releases if they are few, and the kind of the objects if it is one."""
    releases = sorted(chart.name for chart in wave.charts)
    kinds = {item.content["kind"].lower() for item in wave.objects}
    parts = releases if len(releases) <= 3 else ["releases"]
    if kinds:
        parts = [*parts, kinds.pop() if len(kinds) == 1 else "objects"]
    return "-".join(parts)


def _file_name(content: dict[str, Any]) -> str:
    metadata = content["metadata"]
    parts = [content["kind"], metadata.get("namespace") or "", metadata["name"]]
    return "-".join(filter(None, parts)).lower().replace(":", "-") + ".yaml"


def _kustomization(resources: list[str]) -> str:
    return document(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": resources,
        }
    )
