"""From the start of the program to full manifests, beside `helm template` of the same objects.

For 1, 10 and 100 models. The chart for helm is made of our own manifests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import Measure, measure
from simcluster.toolchain import bin_dir

MODELS = (1, 10, 100)
RUNS = 3
_MODEL: dict[str, Any] = {
    "preset": "deepseek-r1-distill-qwen-1.5b",
    "namespace": "ai-inference",
    "gpu": {"product": "NVIDIA-L4"},
    "autoscaling": {"min": 2, "max": 10, "signal": "queue-depth"},
    "callers": ["frontend", "processing"],
}


def run(folder: Path) -> list[str]:
    """The lines of the report; `folder` is for files."""
    ours = {count: _render(folder, count) for count in MODELS}
    peers = {count: _helm_template(folder, count) for count in MODELS}
    lines = ["models   ours s  peak MiB  helm template s  ours/helm"]
    for count in MODELS:
        one, other = ours[count], peers[count]
        lines.append(
            f"{count:6d} {one.seconds:8.2f} {one.peak_mib:9.0f} {other.seconds:16.2f} "
            f"{one.seconds / other.seconds:10.1f}"
        )
    for fewer, more in ((1, 10), (10, 100), (1, 100)):
        a_model = (ours[more].seconds - ours[fewer].seconds) / (more - fewer) * 1000
        lines.append(f"{a_model:.1f} ms a model from {fewer} to {more}")
    return lines


def stack_file(folder: Path, count: int) -> Path:
    models = {f"m{i}": _MODEL | {"route": {"prefix": f"/m{i}"}} for i in range(count)}
    config = {
        "inference-mesh:mesh": {"kind": "istio"},
        "inference-mesh:gateway": {"host": "llm.example.com", "tls": {"issuer": "letsencrypt"}},
        "inference-mesh:models": models,
    }
    file = folder / f"models-{count}.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    return file


def _render(folder: Path, count: int) -> Measure:
    file, out = stack_file(folder, count), folder / f"rendered-{count}"
    return measure([sys.executable, "-m", "cli", "render", str(file), "--out", str(out)], RUNS)


def _helm_template(folder: Path, count: int) -> Measure:
    chart = folder / f"chart-{count}"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: models\nversion: 1.0.0\n")
    objects = sorted((folder / "rendered-1").glob("*/*-ai-inference-m0.yaml"))
    text = "---\n".join(path.read_text() for path in objects)
    escaped = text.replace("{{", "{{ `{{` }}").replace("m0", "{{ . }}")
    templates = f"{{{{- range .Values.models }}}}\n---\n{escaped}\n{{{{- end }}}}\n"
    (chart / "templates" / "models.yaml").write_text(templates)
    values = {"models": [f"m{i}" for i in range(count)]}
    (chart / "values.yaml").write_text(yaml.safe_dump(values))
    return measure([str(bin_dir() / "helm"), "template", "models", str(chart)], RUNS)
