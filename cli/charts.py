"""Charts that the simulated cluster cannot make from Go modules: pulled, and kept for the user."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from cli.stack import CommandError, Stack
from components.chart import Chart, source_problem
from gitops.stackfile import PROJECT
from simcluster import charts
from simcluster.toolchain import bin_dir, cache_root, once
from stacks.errors import ConfigurationError
from stacks.load import from_mapping
from stacks.platform import charts as charts_of
from stacks.settings import StackSettings

TIMEOUT_SECONDS = 20
"""How long one chart may take; most have a few kilobytes."""


def pull(stack: Stack) -> tuple[Path, ...]:
    """Folders of the charts that the stack needs and no simulated cluster has.

    They come from where the stack's settings say, which is not asked for a version that is here.
    Raises CommandError where one cannot be had.
    """
    settings = _settings(stack)
    if settings is None:
        return ()
    own = charts.names()
    others = (chart for chart in charts_of(settings) if chart.name not in own)
    return tuple(_pulled(chart, settings.charts or chart.repository) for chart in others)


def _settings(stack: Stack) -> StackSettings | None:
    """None where the settings are wrong, which the program says in its own words."""
    config = stack.document()["config"]
    try:
        return from_mapping({key.removeprefix(f"{PROJECT}:"): config[key] for key in config})
    except ConfigurationError:
        return None


def _pulled(chart: Chart, location: str) -> Path:
    if reason := source_problem(location, (chart.name,)):
        raise CommandError(reason)
    if "://" not in location:
        return Path(location) / chart.name
    scheme, _, address = location.partition("://")
    place = cache_root() / "charts" / address.replace("/", "-") / chart.version
    return once(place / chart.name, partial(_pull, chart, location, scheme == "oci"))


def _pull(chart: Chart, location: str, in_registry: bool, target: Path) -> None:
    source = [f"{location}/{chart.name}"] if in_registry else [chart.name, f"--repo={location}"]
    command = [str(bin_dir() / "helm"), "pull", *source, f"--version={chart.version}"]
    options = ["--untar", f"--untardir={target.parent}"]
    try:
        answer = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        reason = f"no answer within {TIMEOUT_SECONDS} s"
    else:
        if not answer.returncode:
            return
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise CommandError(
        f"chart {chart.name} {chart.version} cannot be had from {location} "
        f"({reason.removeprefix('Error: ')}); let this machine reach it once, or set `charts` "
        "of the stack to a mirror or a folder"
    )
