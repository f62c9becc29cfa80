"""The generator's own health: how late its loop wakes, what CPU and memory it uses. Real time, whatever the scenario's.

Nothing here judges; `analysis.verdict.checks` does, from the readings.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from smbench.clock import process_cpu_ns, real_ns

_BEAT_S = 0.1
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Health:
    """Since the last time it was asked for."""

    loop_lag_max_s: float
    cpu_share: float  # of one core
    rss_bytes: int


class Vitals:
    """Measures while `run` runs; `take` gives the figures since the last `take`."""

    def __init__(self) -> None:
        self._lag_max_s = 0.0
        self._since_ns, self._cpu_ns = real_ns(), process_cpu_ns()

    async def run(self) -> None:
        """Beat on absolute instants and note how late each came. For a loop that keeps real time."""
        due_ns = real_ns()
        while True:
            due_ns += round(_BEAT_S * 1e9)
            while (left_ns := due_ns - real_ns()) > 0:  # noqa: ASYNC110  # the time itself is waited for
                await anyio.sleep(left_ns / 1e9)
            late_ns = real_ns() - due_ns
            self._lag_max_s = max(self._lag_max_s, late_ns / 1e9)
            due_ns += late_ns // round(_BEAT_S * 1e9) * round(_BEAT_S * 1e9)

    @property
    def age_s(self) -> float:
        """Real seconds since the last `take`."""
        return (real_ns() - self._since_ns) / 1e9

    def take(self) -> Health:
        """Since the last call: the loop's worst lag in seconds and CPU as a share of one core; memory as it is now."""
        now_ns, cpu_ns = real_ns(), process_cpu_ns()
        elapsed_ns = max(1, now_ns - self._since_ns)
        health = Health(self._lag_max_s, (cpu_ns - self._cpu_ns) / elapsed_ns, resident_bytes())
        self._lag_max_s, self._since_ns, self._cpu_ns = 0.0, now_ns, cpu_ns
        return health


def resident_bytes() -> int:
    """Memory this process holds now; where the system does not report it, its peak; 0 where it reports neither."""
    if sys.platform == "linux":
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    if sys.platform == "win32":
        return 0
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
