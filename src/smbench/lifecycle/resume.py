"""Resumes a run that was killed or left requests open: until its folder is closed.

What is left is read from the files. The run's queue still holds the ends that no worker wrote down; the rest is looked
up in S3. Nothing is sent unless that was asked for, and then only what certainly never was.
"""

import contextlib
import datetime
import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import numpy as np
import polars as pl

from smbench import units
from smbench.aws.setup.claim import SEEN_S, Holder
from smbench.clock import wall_ns
from smbench.errors import ResultsError
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.generator.taking_up import TakingUp, may_be_sent, put_back
from smbench.generator.tracking.journal import events_frame
from smbench.generator.tracking.ledger import NO_INSTANT, Ledger, State
from smbench.generator.tracking.rows import requests_frame
from smbench.generator.tracking.tracker import Tracker
from smbench.lifecycle.background.presence import Presence
from smbench.lifecycle.bringing_home import access_of, brought_home
from smbench.lifecycle.carry_out import CarriedOut
from smbench.lifecycle.folder import RunFolder
from smbench.lifecycle.screen import Screen
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import Before, SessionEnd, run_session
from smbench.records import Ending, Event, NotSent, Outcome
from smbench.results.damage import PARTS, explained_reading
from smbench.results.manifest import MANIFEST, Host, Manifest, read_manifest
from smbench.results.marks import InUseError, Mark, machine_started_utc_ns, sole_user
from smbench.results.store import PartWriter, keep_last_versions, open_run
from smbench.targets.base import AwsAccess, Target
from smbench.targets.kinds import target_of
from smbench.units import duration
from smbench.view.live.choose import View

_WAIT_S = 30.0  # for workers whose parent was killed: they write what they know, and end
_LOOK_S = 0.25
_HIDDEN_NS = 35_000_000_000  # a message that was received and not deleted is hidden for 30 s
_STALLED_NS = 30_000_000_000  # a disk may have stalled that long between what is known last and the kill
_SEEN_NS = round(1.5e9 * SEEN_S)  # after a claim; the half is for clocks that differ
_PARENT_WRITER = "parent"
_ROWS_AT_ONCE = 250_000  # looked at together: the last versions of a million rows take 460 MB


@dataclass(frozen=True, slots=True)
class Left:
    """How many requests of a run are open, by what its files say."""

    pending: int  # accepted, without an end
    unanswered: int  # sent, and the answer was not known at the kill
    unknown: int  # whether they were sent is not known
    unsent: int  # certainly never sent, because the run ended first

    @classmethod
    def of(cls, path: Path) -> "Left":
        """Read it from a run's folder; raises ResultsError where it cannot be read."""
        outcome, why = pl.col("outcome"), pl.col("why_not_sent")
        counts = {
            "pending": outcome == Outcome.PENDING.value,
            "unanswered": (outcome == Outcome.TRANSPORT_ERROR.value) & pl.col("ack").is_null(),
            "unknown": outcome == Outcome.UNKNOWN.value,
            "unsent": why.is_in([NotSent.STOPPED.value, NotSent.RUN_ENDED.value]),
        }
        with explained_reading(path):
            run = open_run(path)
            found = pl.concat(
                run.requests.filter(some).select(one.sum().alias(name) for name, one in counts.items()).collect()
                for some in _in_lots(run.manifest.n_scheduled)
            )
        return cls(**found.sum().row(0, named=True))


def _in_lots(n: int) -> list[pl.Expr]:
    """Which rows belong to each lot, of so many in all; the last lot has whatever is beyond."""
    edges = range(_ROWS_AT_ONCE, n, _ROWS_AT_ONCE)
    place = pl.col("seq")
    lots = [place.is_between(first, last, closed="left") for first, last in itertools.pairwise((0, *edges))]
    return [*lots, place >= max(edges, default=0)]


def resume_run(
    path: Path,
    access: AwsAccess,
    make_view: Callable[[], View],
    interrupts: Interrupts,
    *,
    base_dir: Path | None,
    sends: bool,
    presence: Presence | None = None,
) -> CarriedOut | None:
    """Take a run up; returns when its folder is closed, or None when nothing is left to do.

    Args:
        access: How AWS is reached; what is None here is as the run had it.
        base_dir: Folder of the files that the scenario names; None: where it was when the run began.
        sends: Also send what was certainly never sent, later than it was due.
        presence: How other processes find it; None: they do not.

    Raises:
        SmbenchError: it cannot be taken up; the folder is as it was.
    """
    with sole_user(path), interrupts.from_signals():
        if (path / PARTS).is_dir() and not (path / MANIFEST).exists():
            raise ResultsError(
                f"the run in {path} was killed before it began: nothing was sent, and nothing is left of it"
            )
        before = read_manifest(path)
        home = brought_home(path, before, access, make_view, interrupts, base_dir, presence)
        if home is not None:
            before = read_manifest(path)
        left = Left.of(path)
        if home is not None and (home.was_interrupted or not _is_anything_left(before, left, sends=sends)):
            return home
        if not _is_anything_left(before, left, sends=sends):
            return None
        folder = RunFolder.reopen(path)
        if presence is not None:
            presence.opened(path, str(before.scenario.get("name", "")))
            presence.begun()
        try:
            plan = folder.plan(base_dir)
            _wait_for_workers(folder)
            keep_last_versions(folder.path)
            if plan.is_emulated:
                end = _closed_without_endpoint(folder, plan)
            else:
                access = access_of(before, access)
                if sends:
                    anyio.run(_claimed, folder, target_of(plan, access))
                how = _how(folder, plan, sends=sends)
                end = _session(folder, plan, access, how, make_view(), interrupts, presence)
        except BaseException:  # Ctrl-C included: the folder is left as it was found; the error goes on up
            if before.ending is not Ending.RUNNING:
                folder.close(before.ending, before.reason, before.notes, before.emulator, before.held)
            raise
        end.notes[:0] = [note for note in before.notes if note not in end.notes]
        try:
            end.notes.append(_in_words(before, left, Left.of(path), sends=sends))
        except ResultsError as error:  # the folder has vanished meanwhile: the rest is closed as far as it can be
            end.notes.append(error.message)
        if end.held:
            end.notes.append("some may still end: `smbench resume` again collects them, and then removes the queue")
        problems = folder.close(end.ending, end.reason, end.notes, before.emulator, end.held, lacks_rows=end.lacks_rows)
        return CarriedOut(path, end, tuple(problems), bool(interrupts.names))


def _is_anything_left(before: Manifest, left: Left, *, sends: bool) -> bool:
    if before.ending is Ending.RUNNING or before.held:
        return True
    is_aws = (before.scenario.get("target") or {}).get("endpoint") is not None
    return is_aws and (left.pending > 0 or (sends and left.unsent > 0))


def _wait_for_workers(folder: RunFolder) -> None:
    """Return when no worker of before writes any more.

    Raises:
        InUseError: one lives on.
    """
    give_up_s = time.monotonic() + _WAIT_S
    for worker in range(folder.manifest.workers):
        while True:
            try:
                with contextlib.closing(Mark.open(folder.path, worker)) as mark:
                    mark.require_no_other_folder(folder.path)
            except InUseError:
                if time.monotonic() > give_up_s:
                    raise
                time.sleep(_LOOK_S)
            else:
                break


async def _claimed(folder: RunFolder, target: Target) -> None:
    """Return when no other copy may send the rest of the run, as far as the target can know.

    Raises:
        TargetError: another copy of the folder was continued.
    """
    manifest = folder.manifest
    async with target.claim(manifest.run_id, manifest.target) as claim:
        if claim is None:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        new = Holder(secrets.token_hex(16), f"{folder.path.resolve()} on {Host.this().name}", now)
        folder.will_claim(new.token)
        await claim.take(new, manifest.claims)


def _shares(folder: RunFolder) -> list[Share]:
    manifest = folder.manifest
    return [Share(manifest.run_id, worker, manifest.workers) for worker in range(manifest.workers)]


def _last_known_ns(folder: RunFolder) -> int:
    """The last instant at which a worker of before is known to have lived."""
    stems = [pl.col(stem).max().dt.timestamp("ns") for stem in ("send", "ack", "seen")]
    with explained_reading(folder.path):
        files, epoch_ns = open_run(folder.path), folder.manifest.clock.epoch_ns
        instants = [*files.requests.select(stems).collect().row(0)]
        instants += files.readings.select(pl.col("seen").max().dt.timestamp("ns")).collect().row(0)
    return max((instant - epoch_ns for instant in instants if instant is not None), default=0)


def _are_from_before(folder: RunFolder) -> bool:
    """Whether this machine was started again since its workers wrote their marks."""
    for share in _shares(folder):
        with contextlib.closing(Mark.open(folder.path, share.worker)) as mark:
            if not mark.is_from_before:
                return False
    return True


def _how(folder: RunFolder, plan: RunPlan, *, sends: bool) -> TakingUp:
    epoch_ns, last_ns = folder.manifest.clock.epoch_ns, _last_known_ns(folder)
    now_ns = wall_ns() - epoch_ns
    if now_ns < last_ns:  # what is due and what was sent would look alike
        raise ResultsError(
            f"this machine's clock is {duration((last_ns - now_ns) / 1e9)} behind the last record of the run in "
            f"{folder.path}",
            "synchronise it with a time server, or wait that long",
        )
    # Of a machine whose clock is ahead of this one's the run may have gone on for a while after its last word, and one
    # that goes on until now sends until it sees that the rest is claimed.
    until_ns = now_ns + (_SEEN_NS if sends else 0)
    alive_until_ns, started_ns = max(until_ns, last_ns + _STALLED_NS), machine_started_utc_ns()
    # The names of machines repeat, and when one was started moves with its clock: its workers' own marks decide.
    is_same_host = folder.manifest.host.name == Host.this().name and _are_from_before(folder)
    if started_ns is not None and is_same_host and started_ns - epoch_ns > last_ns:
        alive_until_ns = started_ns - epoch_ns  # it lost its power, or was started again, after the run's last word
    comes_again_ns = min(now_ns, last_ns + _STALLED_NS) + _HIDDEN_NS
    how = TakingUp(folder.manifest.resumes, alive_until_ns, comes_again_ns, sends=sends)
    if not sends:
        return how
    left_off_ns = [_left_off_ns(folder, plan, share, how) for share in _shares(folder)]
    return replace(how, first_ns=min((one for one in left_off_ns if one is not None), default=None))


def _left_off_ns(folder: RunFolder, plan: RunPlan, share: Share, how: TakingUp) -> int | None:
    """When the first request that was never sent was due, or its closed phase stopped; None: all were sent."""
    ledger = put_back(plan, share, folder.path, folder.manifest.clock.epoch_ns)
    mark = Mark.open(folder.path, share.worker)
    try:
        tracker = Tracker(ledger)
        tracker.take_up(may_be_sent(ledger, mark, how.alive_until_ns).tolist(), sends=True)
    finally:
        mark.close()
    if (first := ledger.state.find(State.SCHEDULED)) < 0:
        return None
    if ledger.sched_ns[first] != NO_INSTANT:
        return ledger.sched_ns[first]
    sends_ns = np.asarray(ledger.send_ns)
    return max(plan.schedule.spans[int(ledger.phase[first])].start_ns, int(sends_ns.max(initial=0)))


def _session(
    folder: RunFolder,
    plan: RunPlan,
    access: AwsAccess,
    how: TakingUp,
    view: View,
    interrupts: Interrupts,
    presence: Presence | None,
) -> SessionEnd:
    manifest, screen = folder.manifest, Screen(plan, folder.path, view, stops_when_certain=False)
    epoch_ns = manifest.clock.epoch_ns
    now_ns = wall_ns() - epoch_ns
    event = Event("resume", f"resume {how.resume}", now_ns, now_ns, detail={"sends": how.sends})
    PartWriter(folder.path, "events", _PARENT_WRITER).write(events_frame([event], epoch_ns))
    before = Before(how, epoch_ns, manifest.target, manifest.held, manifest.claims)

    async def live() -> SessionEnd:
        async with contextlib.nullcontext() if presence is None else presence.served(screen.state, interrupts):
            return await run_session(
                plan,
                access,
                manifest.workers,
                folder.path,
                manifest.run_id,
                screen,
                interrupts,
                lambda _end: None,
                before,
            )

    with view:
        screen.preparing("taking the run up again")
        return anyio.run(live)


def _closed_without_endpoint(folder: RunFolder, plan: RunPlan) -> SessionEnd:
    """An emulated endpoint ended with its run: nothing more can be known, and what was certain is written."""
    epoch_ns, end_ns = folder.manifest.clock.epoch_ns, _last_known_ns(folder)
    n_open = n_unknown = 0
    for share in _shares(folder):
        ledger = put_back(plan, share, folder.path, epoch_ns)
        mark = Mark.open(folder.path, share.worker)
        try:
            tracker = Tracker(ledger)
            # Its time is not the wall's, so nothing but an exact mark can say what was not sent.
            tracker.take_up(may_be_sent(ledger, mark, 2**62).tolist(), sends=False)
            n_open, n_unknown = n_open + tracker.backlog, n_unknown + tracker.n_unknown
            tracker.close(end_ns, round(plan.longest_life_s * 1e9))
            _write(folder, share, ledger)
        finally:
            mark.close()
    reason = (
        "the run was killed and its emulated endpoint ended with it: the ends of "
        f"{n_open:,} accepted requests, and what became of {n_unknown:,} more, stay unknown"
    )
    return SessionEnd(Ending.FAILED, reason, epoch_ns=epoch_ns, is_begun=True)


def _write(folder: RunFolder, share: Share, ledger: Ledger) -> None:
    writer = PartWriter(folder.path, "requests", share.worker)
    for versions in ledger.take_changed():
        writer.write(requests_frame(versions))


def _in_words(before: Manifest, left: Left, after: Left, *, sends: bool) -> str:
    why = f" ({before.reason})" if before.reason else ""
    was = "killed" if before.ending is Ending.RUNNING else f"{before.ending}{why}"
    n_ended = max(0, left.pending - after.pending)
    sent = "what was never sent was sent later than planned" if sends else "it sent nothing"
    return (
        f"{was}, then taken up again by `smbench resume`: {n_ended:,} of {left.pending:,} accepted requests without an "
        f"end had one; {sent}; whether {units.requests_were(after.unknown)} sent is not known"
    )
