"""What a lost worker can no longer do for itself: its rows are written as far as they are certain."""

from pathlib import Path

import numpy as np
import polars as pl

from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.generator.tracking.ledger import NO_INSTANT
from smbench.generator.tracking.rows import requests_frame
from smbench.generator.tracking.tracker import Tracker
from smbench.records import NotSent, Outcome
from smbench.results.marks import InUseError, Mark
from smbench.results.store import PartWriter, open_run


def settle_rows(plan: RunPlan, share: Share, run_dir: Path, epoch_ns: int, lost_ns: int | None) -> int:
    """Write what is certain of the rows that a worker left unwritten or unsent.

    A row that the worker's mark does not exclude may have been sent, for its last two seconds are written nowhere: it
    is unknown. One beyond the mark, or due after the worker was lost, was not sent.

    Args:
        lost_ns: Scenario time at which its process had ended; None: not known.

    Returns:
        How many rows are unknown.

    Raises:
        ResultsError: the parts cannot be read, or no more can be written.
    """
    shard = plan.schedule.shard(share.worker, share.of)
    own = open_run(run_dir).requests.filter(pl.col("worker") == share.worker)
    found = own.select("seq", "outcome").collect()
    is_unknown = (found["outcome"] == Outcome.UNKNOWN.value).to_numpy()
    missing = ~np.isin(shard.seq, found["seq"].to_numpy())
    unknown = missing | np.isin(shard.seq, found["seq"].to_numpy()[is_unknown])
    ledger = plan.ledger(shard, share.run_id, epoch_ns)
    sched_ns, tracker = np.asarray(ledger.sched_ns), Tracker(ledger)
    is_later = np.zeros(ledger.n, dtype=bool) if lost_ns is None else (sched_ns != NO_INSTANT) & (sched_ns > lost_ns)
    if (last := _last_reached(run_dir, share)) is not None:
        is_later |= np.arange(ledger.n) > last
    for row in np.flatnonzero(unknown & is_later).tolist():
        tracker.not_sent(row, NotSent.RUN_ENDED)
    for row in np.flatnonzero(missing).tolist():
        ledger.changed(row)
    writer = PartWriter(run_dir, "requests", share.worker)
    for versions in ledger.take_changed():
        writer.write(requests_frame(versions))
    if plan.scenario.target.kind != "async" and (given_up := _given_up(own.collect())).height:
        writer.write(given_up)
    return int((unknown & ~is_later).sum())


def _given_up(own: pl.DataFrame) -> pl.DataFrame:
    """Calls whose answer no process waits for any more: the worker still did at the last instant that its rows know."""
    last_known = own.select(pl.max_horizontal(pl.col("send", "ack", "seen").max())).item()
    is_waiting = (pl.col("outcome") == Outcome.TRANSPORT_ERROR.value) & pl.col("ack").is_null()
    return own.filter(is_waiting).with_columns(ack=pl.lit(last_known, own.schema["ack"]))


def _last_reached(run_dir: Path, share: Share) -> int | None:
    """The last row that the worker handed over; None where that is not known."""
    try:
        mark = Mark.open(run_dir, share.worker)
    except InUseError:  # it lives on, though its channel is closed
        return None
    mark.close()
    return mark.last if mark.is_exact else None
