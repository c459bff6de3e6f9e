"""`make bench`: all benchmarks, one report."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks import deployment, manifests

print(f"{os.cpu_count()} cores\n")
with tempfile.TemporaryDirectory() as folder:
    print("From the start of the program to full manifests (fastest of 3):")
    print("\n".join(manifests.run(Path(folder))))
print("\nA deployment of stack local:")
print("\n".join(deployment.run()))
