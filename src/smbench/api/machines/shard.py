"""One shard of an order, sent: apart from all else, because many machines import it at once and need no report."""

import os
import sys
from pathlib import Path

from smbench.api.loops import outside_loops
from smbench.lifecycle.places import opened
from smbench.lifecycle.shard import work_shard
from smbench.processes.interrupts import Interrupts
from smbench.results.shards import ShardState
from smbench.targets.base import AwsAccess


def work(
    place: str | os.PathLike[str],
    shard: int,
    of: int,
    *,
    base_dir: str | os.PathLike[str] | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> tuple[ShardState, bool]:
    """Send one shard of an order to its end; what it does is said on stderr.

    Args:
        place: Of the order, a folder or `s3://bucket/prefix`, or the order's file in it.
        shard: From 0.
        of: How many there are; the order must say the same.
        base_dir: As `resume` takes it.
        region: Of the bucket that has the order; None: as the AWS tools find it. The endpoint's is in the order.
        profile: To reach that bucket; None: as the AWS tools find it.
        endpoint_url: Another address for S3.

    Returns:
        Its last word, and whether it was interrupted.

    Raises:
        OrderError: the order cannot be carried out here, or the shard was started before; nothing was sent.
        SmbenchError: it could not begin or go on.
    """

    def say(text: str) -> None:
        print(f"smbench: shard {shard}/{of}: {text}", file=sys.stderr, flush=True)  # noqa: T201  # what a command says

    interrupts, where = Interrupts(), None if base_dir is None else Path(base_dir)
    with interrupts.from_signals(), opened(place, AwsAccess(region, profile, endpoint_url)) as to:
        state = outside_loops(lambda: work_shard(to, shard, of, where, interrupts, say), interrupts)
    return state, bool(interrupts.names)
