"""What a sweep in warp time takes: six memory sizes of a serverless endpoint, each with two benchmarks, 72 cells.

Stability is 1,000 calls one after another, concurrency 2, 4 and 8 times 1, 1.5, 1.75 and 2 clients of 200 calls each.
Printed: the cells, the time by the wall and the CPU of every process that the command started. Linux only.
"""

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from machine import host

SIZES = {1024: "900ms", 2048: "600ms", 3072: "450ms", 4096: "380ms", 5120: "340ms", 6144: "320ms"}
_SET_CHILD_SUBREAPER = 36  # prctl: processes whose parent has ended become ours, so that their CPU is counted


def asked(n_sizes: int) -> dict[str, object]:
    """The file of the sweep."""
    serverless = {"max_concurrency": 8, "cold_start": "2s"}
    return {
        "scenario": {
            "name": "sizes",
            "target": {
                "kind": "serverless",
                "emulated": {"time": "warp", "service": "300ms", "serverless": serverless},
            },
            "load": [{"constant": {"rate": "1/s", "for": "10s"}}],
        },
        "matrix": {
            "size": {
                str(memory): {
                    "target.emulated.serverless.memory": memory,
                    "target.emulated.service": service,
                }
                for memory, service in list(SIZES.items())[:n_sizes]
            }
        },
        "benchmarks": {
            "stability": {"requests": 1000},
            "concurrency": {"max_concurrency": [2, 4, 8], "clients": [1, 1.5, 1.75, 2]},
        },
    }


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="of memory: twelve cells each")
    n_sizes = parser.parse_args().sizes
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.yaml"
        file.write_text(json.dumps(asked(n_sizes)))
        began = time.monotonic()
        command = [sys.executable, "-m", "smbench", "sweep", str(file), "--results", folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        took_s = time.monotonic() - began
        with suppress(ChildProcessError):
            while True:
                os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    print(f"{host()}: {said.count(' of ')} cells, {took_s:.1f} s, {cpu_s:.1f} s of CPU, user and system")


if __name__ == "__main__":
    main()
