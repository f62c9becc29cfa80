"""CPU of one frame of the live view, drawn in full on a pseudo-terminal, at the smallest and at a large size.

The state is as full as a run can make it: long histories, wide histograms, many events, trouble to report.
"""

import itertools
import os
import pty
import statistics
import struct
import termios
import threading
import time
from array import array
from fcntl import ioctl

from machine import host
from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Reading, Stage
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.state import LiveState, RunHeader
from smbench.view.live.terminal import FRAME_EVERY_NS, LiveView

SECOND = 1_000_000_000
SIZES = ((80, 24), (200, 50))
FRAMES, REPEATS = 100, 5
FRAME_MAX_S = 0.010


def main() -> None:
    print(host())
    print(f"{'size':>8}  {'CPU a frame, ms':>16}  {'of a core at 4 Hz':>18}")
    for width, height in SIZES:
        frame_s = statistics.median(frame_cpu_s(width, height) for _ in range(REPEATS))
        share = frame_s * 1e9 / FRAME_EVERY_NS
        verdict = "" if frame_s <= FRAME_MAX_S else f"  above {FRAME_MAX_S * 1e3:.0f} ms"
        print(f"{width:>4}x{height:<3}  {frame_s * 1e3:>16.2f}  {share:>17.1%}{verdict}")


def frame_cpu_s(width: int, height: int) -> float:
    """Of the thread that draws; what is drawn is read by another."""
    ours, theirs = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    reader = threading.Thread(target=drain, args=(ours,))
    reader.start()
    state = full_state()
    ticks = itertools.count(0, FRAME_EVERY_NS)  # no frame is too early
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, LiveView(terminal, now_ns=lambda: next(ticks)) as view:
        view.show(state)
        begin_s = time.thread_time()
        for _ in range(FRAMES):
            view.show(state)
        used_s = time.thread_time() - begin_s
    reader.join()
    os.close(ours)
    return used_s / FRAMES


def drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return  # the other end is closed


def full_state() -> LiveState:
    phases = tuple(
        PhaseSpan(index, f"phase-{index}", "poisson", False, index * 600 * SECOND, (index + 1) * 600 * SECOND,
                  index * 30_000, 30_000, None, "50/s for 10 m")
        for index in range(6)
    )  # fmt: skip
    header = RunHeader("every-row-in-use", "endpoint one-with-a-long-name in eu-west-1", TimeKind.REAL, phases, 180_000,
                       1200.0, 1000, "results/every-row-in-use-20261121T031200Z")  # fmt: skip
    wide = LogHistogram()
    wide.record_all(array("q", [round(1e5 * 1.016**step) for step in range(1000)]))  # 0.1 ms to 13 minutes: 800 buckets
    state = LiveState(header)
    for at_s in range(0, 3300, 3):
        state.update([snapshot(at_s, wide)])
        seen_ns = at_s * SECOND
        names = (("instances_current", "value"), ("instances_desired", "value"), ("ApproximateBacklogSize", "average"))
        readings = [Reading("endpoint", name, stat, at_s % 7, seen_ns, seen_ns) for name, stat in names]
        cause = f"monitor alarm TargetTracking-{'x' * 80} in state ALARM triggered policy backlog"
        events = [Event("scaling_activity", f"a{at_s}", seen_ns, seen_ns, "Successful", after=4.0, cause=cause)]
        state.read(readings, events)
    return state


def snapshot(at_s: int, wide: LogHistogram) -> Snapshot:
    n = at_s * 50
    return Snapshot(
        worker=0, at_ns=at_s * SECOND, real_elapsed_s=at_s, stage=Stage.SENDING, phase=f"phase-{at_s // 600}",
        phase_index=at_s // 600, n_scheduled=180_000, n_due=n, n_sent=n, n_in_flight=950, n_accepted=n - 40,
        backlog_seen=at_s * 7 % 5000, oldest_age_s=321.0,
        outcomes={Outcome.COMPLETED: n // 2, **dict.fromkeys((Outcome.FAILED, Outcome.REJECTED, Outcome.NOT_SENT), 9)},
        errors={"ThrottlingException": 9, "connection reset": 4, "read timeout": 2}, n_duplicates=3, n_foreign=1,
        sojourn=wide, schedule_lag=wide, ack=wide, hearing=wide, loop_lag_max_s=0.8, cpu_share=0.97,
        rss_bytes=300_000_000,
    )  # fmt: skip


if __name__ == "__main__":
    main()
