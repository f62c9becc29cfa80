"""A worker's share of a run that was killed, taken up again: its rows from the files, and what may be sent of them.

Theory of operation. A row that no file says was sent may have left in the two seconds before the kill, or not. The
worker's mark says up to which row it may have (`results.marks`); where there is no exact mark, time does: what was due
after the worker can have lived was not sent. What may have been sent is never sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.clock import Clock
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.monitors import OnRead
from smbench.generator.plan import RunPlan
from smbench.generator.runner import Outside, Runner
from smbench.generator.shares import Share
from smbench.generator.tracking.ledger import NO_INSTANT, Ledger, State
from smbench.generator.tracking.rows import restore
from smbench.generator.tracking.tracker import Tracker
from smbench.results.damage import explained_reading
from smbench.results.marks import Mark
from smbench.results.store import open_run
from smbench.schedule.base import PhaseSpan

_ROWS_AT_ONCE = 10_000  # of a run's files, texts and all: a million took 600 MB, 50,000 56 MB more than these


@dataclass(frozen=True, slots=True)
class TakingUp:
    """How a run is taken up, the same for all its workers. Instants are those of the run.

    Args:
        resume: How many times it was taken up, this time included.
        alive_until_ns: No worker of before can have lived longer.
        comes_again_ns: What such a worker had received and not deleted is in the queue again by then.
        sends: What was certainly not sent is sent; else it is closed.
        first_ns: When the first of that was due; None: nothing is left to be sent.
    """

    resume: int
    alive_until_ns: int
    comes_again_ns: int
    sends: bool = False
    first_ns: int | None = None

    def later_ns(self, begins_ns: int) -> int:
        """How much later than it was all that is sent is due, so that the first of it is due at `begins_ns`."""
        return 0 if self.first_ns is None else max(0, begins_ns - self.first_ns)


def put_back(plan: RunPlan, share: Share, run_dir: Path, epoch_ns: int) -> Ledger:
    """The ledger as the files have it; rows that no file has are as a new run's.

    Raises:
        ResultsError: the files cannot be read.
    """
    ledger = plan.ledger(plan.schedule.shard(share.worker, share.of), share.run_id, epoch_ns)
    is_missing = np.ones(ledger.n, dtype=bool)
    with explained_reading(run_dir):
        requests = open_run(run_dir).requests.filter(pl.col("worker") == share.worker)
        for start in range(0, ledger.n, _ROWS_AT_ONCE):
            first, last = ledger.seq[start], ledger.seq[min(start + _ROWS_AT_ONCE, ledger.n) - 1]
            places = restore(ledger, requests.filter(pl.col("seq").is_between(first, last)).collect())
            is_missing[places] = False
    for index in np.flatnonzero(is_missing).tolist():
        ledger.changed(index)
    return ledger


def may_be_sent(ledger: Ledger, mark: Mark, alive_until_ns: int) -> npt.NDArray[np.bool_]:
    """By row, whether it may have left although its row does not say so."""
    sched_ns = np.asarray(ledger.sched_ns)
    is_early = (sched_ns == NO_INSTANT) | (sched_ns <= alive_until_ns)
    maybe: npt.NDArray[np.bool_] = np.arange(ledger.n) <= mark.last if mark.is_exact else is_early
    return maybe


class TakenUpShare(ShareRun):
    """As `ShareRun`, of a run that was killed.

    Args:
        taking_up: How.
    """

    def __init__(self, plan: RunPlan, share: Share, folder: Path, taking_up: TakingUp) -> None:
        super().__init__(plan, share, folder)
        self.taking_up = taking_up
        self._tracker: Tracker | None = None
        self._later_ns = 0

    def write_first_versions(self, epoch_ns: int, later_ns: int = 0) -> None:
        """Put the rows back and write what is different about them now, before anything is sent.

        Args:
            later_ns: How much later than it was all that is sent is due.

        Raises:
            ResultsError: the worker of before still lives, or the disk refuses.
        """
        mark, how, self._later_ns = self._marked(), self.taking_up, later_ns
        ledger = put_back(self.plan, self.share, self._folder, epoch_ns)
        tracker = self._tracker = Tracker(ledger)
        given_up_ns = None if self.plan.scenario.target.kind == "async" else _last_known_ns(ledger)
        maybe = may_be_sent(ledger, mark, how.alive_until_ns).tolist()
        tracker.take_up(maybe, sends=how.sends, given_up_ns=given_up_ns)
        if how.sends:
            tracker.postpone(later_ns, how.resume)
        self._journal = self._journal_of(ledger)
        self._journal.write()
        mark.begin(max(mark.last if mark.is_exact else -1, _last_reached(ledger)))

    def runner(
        self,
        outside: Outside,
        clock: Clock,
        locations: list[str] | None,
        control: Control,
        on_read: OnRead = lambda _readings, _events: None,
    ) -> Runner:
        """What collects the rest of the rows, and sends what was certainly not sent where that was asked for."""
        assert self._ledger is not None
        assert self._journal is not None
        how, limits = self.taking_up, self.limits
        time_s = None if limits.time is None or not how.sends else limits.time + self._later_ns / 1e9
        assert self._tracker is not None
        n_taken = self._tracker.n_sent + self._tracker.counts[State.UNPROVEN]  # perhaps sent is perhaps paid for
        n_left = None if limits.requests is None else max(0, limits.requests - n_taken)
        return Runner(
            self._ledger,
            self._load(
                locations,
                _later(self.spans, self._later_ns) if how.sends else (),
                limits.model_copy(update={"time": time_s, "requests": n_left}),
            ),
            outside,
            replace(self._bounds(), comes_again_ns=how.comes_again_ns),
            clock=clock,
            control=control,
            journal=self._journal,
            on_read=on_read,
            tracker=self._tracker,
        )


def _last_reached(ledger: Ledger) -> int:
    state = np.asarray(ledger.state)
    reached = np.flatnonzero((state != State.SCHEDULED) & (state != State.NOT_SENT))
    return int(reached[-1]) if len(reached) else -1


def _last_known_ns(ledger: Ledger) -> int:
    """The last instant in any row: until then the worker of before certainly waited for answers."""
    return max(int(np.asarray(of).max(initial=0)) for of in (ledger.send_ns, ledger.ack_ns, ledger.seen_ns))


def _later(spans: Sequence[PhaseSpan], by_ns: int) -> tuple[PhaseSpan, ...]:
    return tuple(
        replace(span, start_ns=span.start_ns + by_ns, end_ns=None if span.end_ns is None else span.end_ns + by_ns)
        for span in spans
    )
