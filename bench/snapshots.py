"""What it takes to merge the snapshots of many workers: bytes of one, CPU of a round, and so of a parent or a folder.

Each worker has sent as many requests as a run of an hour at its rate has by its end, so its histograms are as full as
they get. A parent of today's processes adds up all workers four times a second; shards write theirs once a second.
"""

import argparse
import pickle
import time
from array import array
from statistics import median

import numpy as np
import orjson

from machine import host
from smbench.processes.messages import Beat
from smbench.records import Outcome, Stage
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.state import added

MEDIANS_S = {"sojourn": 2.0, "schedule_lag": 5e-4, "ack": 2e-2, "hearing": 1e-1}
SIGMA = 0.8
PARENT_HZ, FOLDER_HZ = 4, 1
ROUNDS = 5


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workers", type=int, nargs="+", default=[10, 100, 1000], metavar="N")
    options.add_argument("--requests", type=int, default=100_000, metavar="N", help="of each worker, so far")
    given = options.parse_args()
    print(host())
    rng = np.random.default_rng(1)
    kinds = [snapshot(0, given.requests, rng) for _ in range(8)]  # drawing a thousand would take longer than all else
    piped, written = len(pickle.dumps(Beat(kinds[0]))), len(orjson.dumps(kinds[0].as_values()))
    print(f"one snapshot of {given.requests:,} requests: {piped:,} bytes in a pipe, {written:,} in a file")
    print("workers  merged in  CPU of a parent at 4 Hz  to a parent  into a folder at 1 Hz")
    for n in given.workers:
        round_s = median(merged_s([kinds[worker % 8] for worker in range(n)]) for _ in range(ROUNDS))
        print(
            f"{n:7,}  {round_s * 1e3:6.1f} ms  {round_s * PARENT_HZ:22.1%}  {n * piped * PARENT_HZ / 1e6:6.2f} MB/s  "
            f"{n * written * FOLDER_HZ / 1e6:6.2f} MB/s, {n:,} files/s"
        )


def snapshot(worker: int, n: int, rng: np.random.Generator) -> Snapshot:
    """A worker's, after so many requests."""
    histograms = dict[str, LogHistogram]()
    for name, median_s in MEDIANS_S.items():
        histograms[name] = LogHistogram()
        seconds = rng.lognormal(np.log(median_s), SIGMA, n)
        histograms[name].record_all(array("q", (seconds * 1e9).astype(np.int64).tolist()))
    outcomes = {Outcome.COMPLETED: n}
    return Snapshot(
        worker,
        0,
        0.0,
        Stage.SENDING,
        n_scheduled=n,
        n_sent=n,
        outcomes=outcomes,
        sojourn=histograms["sojourn"],
        schedule_lag=histograms["schedule_lag"],
        ack=histograms["ack"],
        hearing=histograms["hearing"],
    )


def merged_s(snapshots: list[Snapshot]) -> float:
    """CPU seconds that adding them up takes."""
    began_s = time.process_time()
    added(snapshots)
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
