"""What a lost worker can no longer do for itself: its queue is removed, its rows that stand nowhere are written."""

from collections.abc import Iterable
from pathlib import Path

import anyio
import numpy as np
import polars as pl

from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.setup.run_queue import RunQueue, remove
from smbench.errors import SmbenchError
from smbench.generator.plan import RunPlan
from smbench.generator.rows import requests_frame
from smbench.results.store import PartWriter, open_run
from smbench.schedule.base import Shard

_REMOVE_S = 20.0


async def remove_queues(settings: AwsSettings, queues: Iterable[RunQueue]) -> list[str]:
    """Remove them with their subscriptions; returns what is left, as a person would look for it."""
    waiting, left, reason = list(queues), list[str](), "not removed in time"
    try:
        with anyio.move_on_after(_REMOVE_S):
            async with AwsClients(settings) as clients:
                while waiting:
                    left += await remove(clients, waiting[0])
                    del waiting[0]
    except SmbenchError as error:  # the credentials have expired meanwhile: what is left is named all the same
        reason = error.message
    for queue in waiting:
        left += [f"{one} ({reason})" for one in (f"queue {queue.url}", *queue.subscriptions)]
    return left


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
