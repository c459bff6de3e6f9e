"""`python -m gitops render STACKFILE OUT`: the program as files of a GitOps repository."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gitops import render, secrets, stackfile
from gitops.errors import GitopsError
from gitops.manifests import in_waves
from gitops.record import record


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one message on standard error."""
    parser = argparse.ArgumentParser(prog="python -m gitops", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="render")
    command = commands.add_parser("render", help="write OUT anew from a stack file")
    command.add_argument("stack_file", type=Path, metavar="STACKFILE")
    command.add_argument("out", type=Path, metavar="OUT")
    command.add_argument("--format", choices=["flux", "argocd"], default="flux")
    command.add_argument(
        "--secrets",
        default="refuse",
        help="refuse (default), external:<ClusterSecretStore name>, or include (plain text)",
    )
    command.add_argument(
        "--path", default=".", help="where OUT lies in the repository that Flux reads (default: .)"
    )
    command.add_argument(
        "--program", type=Path, default=Path("__main__.py"), help="default: __main__.py"
    )
    options = parser.parse_args(arguments)
    try:
        choice = secrets.parse(options.secrets)
        recording = record(options.program, stackfile.read(options.stack_file))
        waves = in_waves(recording, secrets_elsewhere=choice.store is not None)
        files = render.files(waves, options.format, choice, options.path)
        render.write(options.out, files)
    except GitopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if choice.include and (found := secrets.found(waves, choice)):
        print(f"warning: plain text secrets in {options.out}:", *found, sep="\n  ", file=sys.stderr)
    print(f"{len(files)} files in {options.out}, {len(waves)} waves")
    return 0


if __name__ == "__main__":
    # The same files on every machine: the program asks no cluster about its version.
    os.environ["KUBECONFIG"] = os.devnull
    sys.exit(main())
