"""One shard of an order, from its taking to its last word: the same worker as in any run, led by files alone."""

import datetime
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from smbench.clock import wall_ns
from smbench.errors import DiskError, OrderError, UsageError, out_of_groups
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.generator.tracking.ledger import NO_INSTANT
from smbench.lifecycle.order import Order, read_order
from smbench.processes.alone import AloneChannel, head_start_s
from smbench.processes.child import as_failed
from smbench.processes.descriptors import require_descriptors
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import WorkerOrder, Workplace
from smbench.processes.worker import work
from smbench.results.meeting import Meeting
from smbench.results.place import Place
from smbench.results.shards import ShardFiles, ShardState


def work_shard(
    place: Place, shard: int, of: int, base_dir: Path | None, interrupts: Interrupts, say: Callable[[str], None]
) -> ShardState:
    """Send one shard of the order in `place`, to its end; its parts and its words are there, too.

    Args:
        shard: From 0.
        of: How many shards the caller thinks there are.
        base_dir: Folder of the files that the scenario names; None: where it was when the order was written.
        interrupts: The first stops sending and follows what was sent, the second stops at once.
        say: Receives what a person should read.

    Returns:
        Its last word.

    Raises:
        OrderError: it was started before, or the order cannot be carried out here; nothing was sent.
        SmbenchError: it could not begin or go on. Where it is certain that it sent nothing, it may be started again.
    """
    order = read_order(place)
    share = _share(order, shard, of)
    plan = order.plan(place, base_dir)
    n_rows = len(plan.schedule.shard(shard, of))
    meeting = Meeting(place, of, head_start_s(n_rows)) if order.begins_together else None
    go_utc_ns = order.go_utc_ns if meeting is None else meeting.agreed_ns()
    _require_time_left(go_utc_ns, plan, share)
    require_descriptors(plan, of)
    now = datetime.datetime.now(datetime.UTC)
    host, process = platform.node(), os.getpid()
    files = ShardFiles(place, shard)
    files.take(f"process {process} of {host}, since {now:%Y-%m-%d %H:%M:%S} UTC,")
    state = ShardState(shard=shard, run_id=share.run_id, host=host, process=process, started=now, said=now)
    channel = AloneChannel(files, state, go_utc_ns, meeting, n_rows, interrupts, say)
    try:
        files.write(state)
        with place.workplace() as folder:
            try:
                work(channel, _worker_order(order, plan, share), Workplace(plan.base_dir, folder), plan)
            except BaseException as error:  # noqa: BLE001  # whatever it is, the files must say so; it goes on up
                with suppress(DiskError):  # the place refuses this, too: why it ended is said here
                    channel.send(as_failed(error))
                raise out_of_groups(error) from None
    except BaseException:  # whatever it is: what certainly sent nothing may be started again; it goes on up
        if not channel.state.may_have_sent:
            with suppress(DiskError):
                files.give_back()
        raise
    finally:
        files.leave()
    return channel.state


def _share(order: Order, shard: int, of: int) -> Share:
    n_shards = order.manifest.workers
    if of != n_shards:
        raise OrderError(f"--shard {shard}/{of}: the order has {n_shards} shards", f"give --shard {shard}/{n_shards}")
    if not 0 <= shard < of:
        raise UsageError(f"--shard {shard}/{of}: shards are numbered from 0", f"0/{of} to {of - 1}/{of}")
    return Share(order.manifest.run_id, shard, of)


def _worker_order(order: Order, plan: RunPlan, share: Share) -> WorkerOrder:
    manifest = order.manifest
    scenario_json = plan.scenario.model_dump_json(by_alias=True)
    return WorkerOrder(scenario_json, share, manifest.schedule_digest, order.access, 0, is_alone=True)


def _require_time_left(go_utc_ns: int | None, plan: RunPlan, share: Share) -> None:
    """A shard of which everything is overdue would send it all at once, and measure nothing."""
    if go_utc_ns is None:
        return
    due_ns = np.asarray(plan.schedule.shard(share.worker, share.of).sched_ns)
    late_ns = wall_ns() - go_utc_ns
    if (due_ns != NO_INSTANT).all() and late_ns > due_ns.max(initial=0):
        raise OrderError(
            f"shard {share.worker} came {late_ns / 1e9:,.0f} s after the agreed go, when all of its requests had been "
            "due; it sent nothing",
            "write a new order with a later --go, or without --go: then each shard begins when it is ready",
        )
