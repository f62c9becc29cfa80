"""Trials of one build in a process of its own, one for each line of stdin; started by `against.py` in either build.

A line is a planned rate and for how many seconds; the answer is the build's own `Trial` as JSON. The null target is the
same process for both builds.
"""

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

_ROOMS = ("ceiling", "fleet")  # where the builds of before 2026-11-28 have it
_WARM_UP_HZ, _WARM_UP_S = 2000, 0.3


def trials_module() -> Any:
    """The build's own, wherever it is."""
    for room in _ROOMS:
        try:
            return import_module(f"smbench.{room}.trials")
        except ModuleNotFoundError:
            continue
    raise SystemExit("this build has no trials")


async def _serve(url: str) -> None:
    module = trials_module()
    with TemporaryDirectory(prefix="smbench-bench-") as folder:
        async with module.outside_of(url, "wire") as outside:
            trials = module.Trials(outside, Path(folder))
            await trials.run(_WARM_UP_HZ, _WARM_UP_S)
            print("ready", flush=True)
            for line in sys.stdin:  # it has nothing else to do meanwhile
                rate_hz, for_s = map(float, line.split())
                trial = await trials.run(rate_hz, for_s)
                print(trial.model_dump_json(), flush=True)


if __name__ == "__main__":
    anyio.run(_serve, sys.argv[1], backend_options={"use_uvloop": True})
