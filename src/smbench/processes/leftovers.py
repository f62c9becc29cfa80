"""What a lost worker can no longer do for itself: its rows that no part has are written."""

from pathlib import Path

import numpy as np
import polars as pl

from smbench.generator.plan import RunPlan
from smbench.generator.rows import requests_frame
from smbench.results.store import PartWriter, open_run
from smbench.schedule.base import Shard


def write_missing_rows(plan: RunPlan, shard: Shard, run_dir: Path, run_id: str, epoch_ns: int) -> int:
    """Write, as never sent, the rows of which a worker left no version; returns how many.

    A worker writes every row once before it sends the first; one that died earlier still owes some or all.

    Raises:
        ResultsError: the parts cannot be read, or no more can be written.
    """
    rows = open_run(run_dir).requests.filter(pl.col("worker") == shard.index).select("seq").collect()
    missing = np.flatnonzero(~np.isin(shard.seq, rows["seq"].to_numpy()))
    if len(missing):
        ledger, writer = plan.ledger(shard, run_id, epoch_ns), PartWriter(run_dir, "requests", shard.index)
        for row in missing.tolist():
            ledger.changed(row)
        for versions in ledger.take_changed():
            writer.write(requests_frame(versions))
    return len(missing)
