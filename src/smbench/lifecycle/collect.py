"""One results folder from the shards of an order: every request is accounted for, however each shard ended.

The place of the order stays as it is, but for shards that were never started: those are taken, so that none can begin
after its requests were called not sent.
"""

import contextlib
import datetime
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.analysis.rows.clocks import Agreement, Clocks
from smbench.analysis.rows.frames import clocks_by_worker
from smbench.clock import TimeKind, wall_ns
from smbench.errors import OrderError, ResultsError
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.lifecycle.carry_out import CarriedOut
from smbench.lifecycle.folder import RunFolder
from smbench.lifecycle.order import Order, read_order
from smbench.processes.leftovers import settle_rows
from smbench.processes.session import SessionEnd
from smbench.processes.workers import HANGS_S
from smbench.records import Ending, Outcome
from smbench.results.damage import PARTS
from smbench.results.manifest import ClockFacts, Host, ShardFacts
from smbench.results.marks import Mark
from smbench.results.place import FolderPlace, Place
from smbench.results.shards import ShardFiles, ShardState
from smbench.results.store import RunFiles, link_parts, new_run_dir, open_run
from smbench.targets.kinds import inapplicable_to

_NAMED_MAX = 5  # shards that the reason names; the manifest has all
_LOST, _NEVER = "lost", "never started"
_COUNTED = "`smbench collect`, which counted it as not started,"  # who takes what was never started
_WORST = (Ending.CANCELLED, Ending.STOPPED, Ending.FINISHED)


@dataclass(frozen=True, slots=True)
class _Shard:
    """A shard as its files show it. `state` is None where it never said anything.

    Args:
        is_counted: Taken by an earlier `collect`, because it had not been started.
    """

    share: Share
    state: ShardState | None
    is_taken: bool
    is_counted: bool

    @property
    def zero_ns(self) -> int | None:
        """UTC nanoseconds at its time zero; None: it certainly sent nothing."""
        return None if self.state is None else self.state.zero_ns

    def facts(self) -> ShardFacts:
        """For the manifest."""
        state, number = self.state, self.share.worker
        if state is None:
            return ShardFacts(shard=number, ending=_LOST if self.is_taken and not self.is_counted else _NEVER)
        zero = None if state.zero_ns is None else datetime.datetime.fromtimestamp(state.zero_ns / 1e9, datetime.UTC)
        ending, reason = state.ending.value, state.reason
        if state.ending is Ending.RUNNING:
            ending, reason = _LOST, f"its last word came at {state.said:%Y-%m-%d %H:%M:%S} UTC"
        return ShardFacts(shard=number, host=state.host, ending=ending, reason=reason, zero=zero, late_s=state.late_s)


def collect(place: Place, results: Path, base_dir: Path | None, *, have_all_ended: bool = False) -> CarriedOut:
    """Make a run's folder below `results` from what the shards of the order in `place` left.

    Args:
        base_dir: Folder of the files that the scenario names; None: where it was when the order was written.
        have_all_ended: It is known that none is at work, however young its last word is.

    Raises:
        OrderError: the order cannot be read here, or a shard is still at work.
        ResultsError: a file cannot be read or written.
    """
    order = read_order(place)
    plan = order.plan(place, base_dir)
    with place.copied(results) as folder:
        copy = FolderPlace(folder)
        shards = [_shard(copy, order, number) for number in range(order.manifest.workers)]
        if not have_all_ended:
            _require_rest(shards, place)
        counted: list[ShardFiles] = []
        path = None
        try:
            for shard in shards:
                if not shard.is_taken:
                    files = ShardFiles(place, shard.share.worker)
                    files.take(_COUNTED)
                    counted.append(files)
                    files.leave()
            path = new_run_dir(results, plan.scenario.name, order.manifest.started)
            return _collected(RunFolder(path, order.manifest), folder, order, plan, shards)
        except BaseException:  # half a copy is of no use, and the shards have everything; the error goes on up
            if path is not None:
                shutil.rmtree(path, ignore_errors=True)
            for files in counted:  # no result says that they were not started
                with contextlib.suppress(ResultsError):
                    files.give_back()
            raise


def _shard(copy: Place, order: Order, number: int) -> _Shard:
    files = ShardFiles(copy, number)
    share = Share(order.manifest.run_id, number, order.manifest.workers)
    taken_by, state = files.taken_by(), files.read()
    if state is not None and state.run_id not in ("", share.run_id):
        raise _of_another_run(f"what shard {number} says")
    return _Shard(share, state, taken_by is not None, taken_by == _COUNTED)


def _of_another_run(what: str) -> OrderError:
    return OrderError(f"{what} is of another run", "collect from a folder with the files of one order only")


def _require_rest(shards: Sequence[_Shard], place: Place) -> None:
    """Of a shard on this machine a lock says whether it lives; of one elsewhere how old its last word is."""
    now, here = datetime.datetime.now(datetime.UTC), Host.this().name
    for shard in shards:
        state, number = shard.state, shard.share.worker
        is_locked = ShardFiles(place, number).is_locked()
        if is_locked:
            raise OrderError(f"shard {number} is still at work", "collect when it has ended")
        if state is None or state.ending is not Ending.RUNNING or not shard.is_taken:
            continue
        if is_locked is not None and state.host == here:  # it would hold its lock
            continue
        silent_s = (now - state.said).total_seconds()
        if silent_s < HANGS_S:
            raise OrderError(
                f"shard {number} spoke {max(0.0, silent_s):.0f} s ago on {state.host}: it is at work, or was killed "
                "just now",
                f"wait until it has ended, or has said nothing for {HANGS_S:.0f} s",
            )


def _collected(run: RunFolder, folder: Path, order: Order, plan: RunPlan, shards: Sequence[_Shard]) -> CarriedOut:
    end = _end(order, shards)
    run.manifest = run.manifest.model_copy(update={"shards": tuple(shard.facts() for shard in shards)})
    clock = ClockFacts(kind=TimeKind.REAL.value, epoch_ns=end.epoch_ns)
    link_parts(folder, run.path)
    _require_own(run.path, order.manifest.run_id)
    ordered = order.manifest
    run.begin(dict(end.found), clock, inapplicable_to(plan), end.held, ordered.endpoint_url, ordered.prices)
    end.notes += _settle(run.path, plan, shards, end.epoch_ns)
    run.manifest = run.manifest.model_copy(update={"shards": _with_clocks(run.manifest.shards, open_run(run.path))})
    if end.held:
        end.notes.append(f"requests may still end: `smbench resume {run.path}` collects them and removes the queue")
    problems = run.close(end.ending, end.reason, end.notes, None, end.held)
    return CarriedOut(run.path, end, tuple(problems), was_interrupted=False)


def _require_own(run_dir: Path, run_id: str) -> None:
    """Refuse parts that were copied here from the folder of another run: they would count as rows of this one."""
    for path in sorted((run_dir / PARTS).glob("requests-*.parquet")):
        strange = pl.scan_parquet(path).filter(~pl.col("inference_id").str.starts_with(f"{run_id}-"))
        with contextlib.suppress(pl.exceptions.PolarsError):  # damaged: that is said elsewhere
            if strange.select(pl.len()).collect().item():
                raise _of_another_run(f"{PARTS}/{path.name}")


def _end(order: Order, shards: Sequence[_Shard]) -> SessionEnd:
    """How the whole ended: as the worst of its shards."""
    states = [shard.state for shard in shards if shard.state is not None]
    facts = [shard.facts() for shard in shards]
    bad = [one for one in facts if one.ending not in _WORST]
    ending = Ending.FAILED if bad else next(one for one in _WORST if one in {each.ending for each in facts})
    zeros_ns = [state.zero_ns for state in states if state.zero_ns is not None]
    started_ns = round(order.manifest.started.timestamp() * 1e6) * 1000
    held = {str(state.shard): state.held for state in states if state.held is not None}
    notes = dict.fromkeys(note for state in states for note in state.notes)
    return SessionEnd(
        ending=ending,
        reason=_in_words(bad or [one for one in facts if one.ending != Ending.FINISHED], len(facts)),
        found=next((state.found for state in states if state.found), {}),
        epoch_ns=order.go_utc_ns or min(zeros_ns, default=started_ns),
        notes=list(notes),
        is_begun=True,
        held=dict(held),
    )


def _in_words(named: Sequence[ShardFacts], of: int) -> str:
    if not named:
        return ""
    named_parts = [f"shard {one.shard} {one.ending}" + (f" ({one.reason})" if one.reason else "") for one in named]
    more = [f"and {len(named_parts) - _NAMED_MAX} more"] if len(named_parts) > _NAMED_MAX else []
    return f"{of - len(named)} of {of} shards came to their end: " + "; ".join([*named_parts[:_NAMED_MAX], *more])


def _with_clocks(facts: Sequence[ShardFacts], run: RunFiles) -> tuple[ShardFacts, ...]:
    """With how far AWS's clock is ahead of each machine's, where its requests say it."""
    by_shard = clocks_by_worker(run)
    unknown = Clocks(agreement=Agreement.UNKNOWN)
    return tuple(_with_clock(one, by_shard.get(one.shard, unknown)) for one in facts)


def _with_clock(facts: ShardFacts, clocks: Clocks) -> ShardFacts:
    if clocks.agreement not in (Agreement.AGREE, Agreement.OFFSET):
        return facts
    found = {"clock_offset_s": clocks.offset_s, "clock_uncertainty_s": clocks.uncertainty_s}
    return facts.model_copy(update=found)


def _settle(run_dir: Path, plan: RunPlan, shards: Sequence[_Shard], epoch_ns: int) -> list[str]:
    """Account for every row that its shard did not; returns what a person should know of it."""
    notes = []
    rows = (
        open_run(run_dir)
        .requests.group_by("worker")
        .agg(pl.len().alias("n"), (pl.col("outcome") == Outcome.UNKNOWN.value).sum().alias("unknown"))
    )
    found = {worker: (n, unknown) for worker, n, unknown in rows.collect().iter_rows()}
    for shard in shards:
        number = shard.share.worker
        n_written, n_open = found.get(number, (0, 0))
        n_missing = len(plan.schedule.shard(number, shard.share.of)) - n_written
        if not n_missing and not n_open:
            continue
        if shard.zero_ns is None:
            mark = Mark.open(run_dir, number)
            mark.begin(-1)  # nothing was handed to the network
            mark.close()
            settle_rows(plan, shard.share, run_dir, epoch_ns, None)
            continue
        n_unknown = settle_rows(plan, shard.share, run_dir, shard.zero_ns, wall_ns() - shard.zero_ns)
        if n_missing:
            notes.append(f"shard {number} began, and no part has {n_missing:,} of its rows: were all files copied?")
        if n_unknown:
            notes.append(f"shard {number}: whether {n_unknown:,} of its requests were sent is not known")
    return notes
