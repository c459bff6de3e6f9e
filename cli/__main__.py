"""`python -m cli up|preview|down|render STACK`: what the Makefile's commands do."""

from __future__ import annotations

import argparse
import os
import sys

from cli import charts, pulumi, target
from cli.engine import Engine
from cli.holder import Holder
from cli.kubectl import KubectlEngine
from cli.stack import LOCAL, CommandError, Stack
from cli.summary import summary
from gitops.__main__ import main as gitops
from gitops.errors import GitopsError
from simcluster.cluster import SimulatedCluster
from simcluster.reporting import SimulationError, say

_NO_PULUMI = "the Pulumi CLI and its Kubernetes plugin are not here and cannot be downloaded"


def main() -> int:
    """Exit code 0, or 1 with one message on standard error."""
    parser = argparse.ArgumentParser(prog="python -m cli", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "deploy a stack, or bring it up to date"),
        ("preview", "show what up would change"),
        ("down", "remove what up made; the simulated cluster goes as a whole"),
        ("render", "write a stack as files for a GitOps repository"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("stack", nargs="?", default=LOCAL, help="name or stack file")
        if name == "render":
            command.add_argument("--out", required=True)
            command.add_argument("--format", choices=["flux", "argocd"], default="flux")
            command.add_argument("--secrets", default="refuse")
            command.add_argument("--path", default=".", help="where OUT lies in the repository")
        else:
            command.add_argument("--engine", choices=["auto", "pulumi", "kubectl"], default="auto")
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except (CommandError, GitopsError, SimulationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to carry on", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    stack = Stack.find(arguments.stack)
    if arguments.command == "render":
        # A render is of the settings alone, whatever cluster this machine may reach.
        os.environ["KUBECONFIG"] = os.devnull
        options = ["--format", arguments.format, "--secrets", arguments.secrets]
        options += ["--path", arguments.path]
        return gitops(["render", str(stack.file), arguments.out, *options])
    if arguments.command == "down" and target.is_simulated(stack):
        SimulatedCluster(target.SIMULATION).stop()
        say("the simulated cluster is gone, with its processes and files")
        return 0
    # Before a cluster is stopped or started: what cannot be had is known in seconds.
    pulled = charts.pull(stack) if target.is_simulated(stack) else ()
    if arguments.command == "up" and target.is_simulated(stack):
        _make_room(stack)
    place = target.find(stack, pulled)
    place.enter()
    engine = _engine(arguments, place)
    if place.simulated and arguments.command == "up":
        Holder(stack.name, engine.name).save()
    getattr(engine, arguments.command)()
    if arguments.command == "up":
        print(summary(place))
    return 0


def _make_room(stack: Stack) -> None:
    holder = Holder.find()
    if holder and holder.stack != stack.name:
        say(f"the simulated cluster holds stack {holder.stack}: starting anew for {stack.name}")
        SimulatedCluster(target.SIMULATION).stop()


def _engine(arguments: argparse.Namespace, place: target.Target) -> Engine:
    wanted = arguments.engine
    holder = Holder.find() if place.simulated else None
    if holder and holder.stack != place.stack.name:
        say(
            f"this compares with stack {holder.stack}, which the simulated cluster holds; "
            f"`up` of {place.stack.name} would start it anew"
        )
    if holder and holder.stack == place.stack.name:
        wanted = holder.engine_for(wanted)
    binary = None if wanted == "kubectl" else pulumi.find()
    if binary is not None:
        return pulumi.PulumiEngine(binary, place)
    if wanted == "pulumi":
        raise CommandError(f"{_NO_PULUMI}; install them, or use ENGINE=kubectl")
    if wanted == "auto":
        say(f"{_NO_PULUMI}: deploying with helm and kubectl")
    return KubectlEngine(place)


if __name__ == "__main__":
    sys.exit(main())
