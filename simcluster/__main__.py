"""Command line of the simulated cluster: up, down, status, logs and tools."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from simcluster.cluster import SimulatedCluster
from simcluster.nodes import NODES_FILE
from simcluster.reporting import SimulationError
from simcluster.toolchain import COMPANIONS, bin_dir


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simcluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools", help="print the folders of the tools, built if missing")
    up, down, status, logs = (
        commands.add_parser(name, help=text)
        for name, text in (
            ("up", "start the cluster, or mend it"),
            ("down", "stop it and remove its files"),
            ("status", "say what runs"),
            ("logs", "print a log"),
        )
    )
    for command in (up, down, status, logs):
        command.add_argument("--dir", type=Path, default=Path(".sim"), help="default: .sim")
    up.add_argument("--nodes", type=Path, default=NODES_FILE, help="the shapes of the nodes")
    logs.add_argument("name", nargs="?", default="istiod", help="default: istiod")
    arguments = parser.parse_args()
    try:
        run(arguments)
        sys.stdout.flush()
    except SimulationError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, such as `head`, has had enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted; `up` carries on, `down` cleans up", file=sys.stderr)
        return 130
    return 0


def run(arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "tools":
            print(bin_dir(), bin_dir(COMPANIONS), sep="\n")
        case "up":
            cluster = SimulatedCluster(arguments.dir, arguments.nodes)
            cluster.start()
            print(f"kubeconfig: {cluster.kubeconfig}")
        case "down":
            SimulatedCluster(arguments.dir).stop()
        case "status":
            print(SimulatedCluster(arguments.dir).status())
        case "logs":
            sys.stdout.write(SimulatedCluster(arguments.dir).log(arguments.name).read_text())


if __name__ == "__main__":
    sys.exit(main())
