"""One worker's run as one task tree: listen, send, drain, look up, close. The ledger is closed whatever happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter

import anyio
import anyio.abc

from smbench.clock import Clock, TimeKind, real_ns
from smbench.generator.control import Control
from smbench.generator.engine import Engine, Load
from smbench.generator.monitors import OnRead, watch
from smbench.generator.receiving.collector import Collector, look_up_rest
from smbench.generator.receiving.looks import Looks
from smbench.generator.tracking.journal import Journal
from smbench.generator.tracking.ledger import Ledger
from smbench.generator.tracking.tracker import Tracker
from smbench.generator.vitals import Health, Vitals
from smbench.ports import LOOKS_HZ, Folders, Gauges, Notices, Outputs, Transport
from smbench.records import Event, Reading, Stage
from smbench.snapshot import Snapshot

_LEDGER_BEAT_S = 0.25
_VITALS_EVERY = 4  # ledger beats
_DRAIN_LOOK_S = 0.1
_UNKNOWN_GRACE_S = 30.0  # beyond twice the longest life seen, for requests whose answer never came
_LAST_WORDS_S = 15.0  # real or virtual: deletes under way and the last look at the endpoint


@dataclass(frozen=True, slots=True)
class Outside:
    """The ports of one worker. `gauges` is None where somebody else watches the endpoint.

    Args:
        folders: Where no notice comes, so that every output is looked for; None: notices come, or the call answers.
    """

    transport: Transport
    notices: Notices
    outputs: Outputs
    gauges: Gauges | None
    folders: Folders | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Windows in seconds of scenario time."""

    drain_s: float
    longest_life_s: float  # time to live plus invocation time-out
    gauges_every_s: float
    receivers: int  # the most that may overlap; 0: a synchronous endpoint, which sends no notices
    comes_again_ns: int | None = None  # of a run taken up: what its last worker had received has come again by then
    look_every_s: float = 5.0  # between two looks for an output, where no notice comes
    looks_hz: float = LOOKS_HZ  # calls a second for it, at most


class Runner:
    """Runs one shard to its end. `stage` and `snapshot` may be read at any time.

    Args:
        tracker: Of a run taken up, with what is known of it; None: nothing is sent yet.
    """

    def __init__(
        self,
        ledger: Ledger,
        load: Load,
        outside: Outside,
        bounds: Bounds,
        *,
        clock: Clock,
        control: Control,
        journal: Journal,
        on_read: OnRead = lambda _readings, _events: None,
        tracker: Tracker | None = None,
    ) -> None:
        self.ledger, self.load, self.outside, self.bounds = ledger, load, outside, bounds
        self.clock, self.control, self.journal, self.on_read = clock, control, journal, on_read
        self.tracker = tracker or Tracker(ledger)
        journal.check = self._check_law
        self.engine = Engine(load, self.tracker, outside.transport, clock, control)
        self.looks = self._looks()
        self._n_receivers = 0 if self.looks is not None else bounds.receivers
        self.collector = Collector(
            outside.notices,
            self.tracker,
            clock,
            self._n_receivers,
            journal.happened,
            is_prompt=any(span.outstanding is not None for span in load.spans),
            # In faster time a message would come again before it was written down.
            hurry=journal.hurry if clock.kind is TimeKind.REAL else None,
        )
        if clock.kind is TimeKind.REAL:
            journal.before = self.collector.hold
        self.vitals, self.health = Vitals(), Health(0.0, 0.0, 0)
        self.stage = Stage.PREPARING
        self.has_unheard = False  # when the drain was over, no notice had come of some
        self._is_stop_noted = False
        self._has_listened = anyio.Event()
        self._start_real_ns = real_ns()

    def _looks(self) -> Looks | None:
        outside, bounds = self.outside, self.bounds
        if outside.folders is None:
            return None
        every_s, calls_hz = bounds.look_every_s, bounds.looks_hz
        return Looks(self.tracker, outside.outputs, outside.folders, self.clock, every_s=every_s, calls_hz=calls_hz)

    async def run(self) -> None:
        """Return when the ledger is closed and on disk.

        Raises:
            ResultsError: the journal could not be written; what was written before stays.
        """
        try:
            async with anyio.create_task_group() as background:
                await background.start(self._listen)
                background.start_soon(self._gauge_ledger)
                background.start_soon(self._note_stop)
                if self.looks is not None:
                    background.start_soon(self.looks.run)
                if self.clock.kind is not TimeKind.WARP:
                    background.start_soon(self.vitals.run)
                    background.start_soon(self.journal.run)
                if self.outside.gauges is not None:
                    background.start_soon(
                        watch, self.outside.gauges, self.clock, self.bounds.gauges_every_s, self._read
                    )
                await self._send_and_drain()
                self.stage = Stage.CLOSING
                await self._last_words()
                background.cancel_scope.cancel()
        finally:
            self._close()

    async def _listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        await self.collector.run(task_status=task_status)
        self._has_listened.set()

    async def _send_and_drain(self) -> None:
        async with anyio.create_task_group() as work:
            work.start_soon(self._end_when_cancelled, work.cancel_scope)
            self.stage = Stage.SENDING
            async with anyio.create_task_group() as sending:
                if self.bounds.comes_again_ns is not None and self.looks is None:
                    sending.start_soon(self._take_up, self.bounds.comes_again_ns, self.tracker.waiting())
                await self.engine.submit_all()
            self.stage = Stage.DRAINING
            await self._drain()
            if self.tracker.backlog:
                self.stage = Stage.LOOKING_UP
                await self._look_once_more()
            work.cancel_scope.cancel()

    async def _look_once_more(self) -> None:
        if self.looks is None:
            self.has_unheard = bool(self._n_receivers)
            await look_up_rest(self.tracker, self.outside.outputs, self.clock)
        else:
            self.looks.stop()
            await self.looks.round()

    async def _take_up(self, comes_again_ns: int, left: Sequence[int]) -> None:
        """Of a run taken up: receive what its queue holds, then look up the rest, which may have ended long ago.

        Args:
            left: The rows that waited when it was taken up. Those sent since then have their notices still to come.
        """
        await self._drain_until(comes_again_ns)
        await look_up_rest(self.tracker, self.outside.outputs, self.clock, left)

    async def _end_when_cancelled(self, work: anyio.CancelScope) -> None:
        await self.control.wait_cancelled()
        work.cancel()

    async def _drain(self) -> None:
        """Wait until every accepted request has ended, and a while for those of which nobody knows."""
        await self._drain_until(self.clock.now_ns() + round(self.bounds.drain_s * 1e9))

    async def _drain_until(self, end_ns: int) -> None:
        look_ns = self.clock.now_ns()
        while (now_ns := self.clock.now_ns()) < end_ns:
            if not self.tracker.backlog and not self._awaits_unknown(now_ns):
                return
            look_ns += round(_DRAIN_LOOK_S * 1e9)
            await self.clock.sleep_until_ns(min(look_ns, end_ns))

    def _awaits_unknown(self, now_ns: int) -> bool:
        """Whether a notice may still come for a request whose answer never did."""
        tracker = self.tracker
        if not self._n_receivers or tracker.last_unknown_send_ns is None or not tracker.n_unknown:
            return False
        patience_ns = 2 * tracker.longest_service_view_ns + round(_UNKNOWN_GRACE_S * 1e9)
        return now_ns < max(tracker.last_unknown_send_ns + patience_ns, self.bounds.comes_again_ns or 0)

    async def _last_words(self) -> None:
        with anyio.move_on_after(0.0 if self.control.is_target_gone else _LAST_WORDS_S, shield=True):
            self.collector.stop()
            await self._has_listened.wait()
            if self.outside.gauges is not None:
                self._read(*await self.outside.gauges.read())

    async def _note_stop(self) -> None:
        await self.control.wait_stopped()
        self._stopped(self.clock.now_ns())

    def _stopped(self, now_ns: int) -> None:
        if self.control.stop_reason and not self._is_stop_noted:
            self._is_stop_noted = True
            self.journal.happened(Event("stop", self.control.stop_reason, now_ns, now_ns))

    def _close(self) -> None:
        self.tracker.close(self.clock.now_ns(), round(self.bounds.longest_life_s * 1e9))
        now_ns = self.clock.now_ns()
        self.journal.read(self._collector_readings(now_ns))  # counts of a run are those at its end
        self._stopped(now_ns)
        self.journal.write()
        self.stage = Stage.DONE

    def _check_law(self) -> None:
        if broken := self.tracker.violations():
            raise AssertionError("the ledger does not add up: " + "; ".join(broken))

    # ---- what is told of it -----------------------------------------------------------------------------------

    def _read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        self.journal.read(readings)
        for event in events:
            self.journal.happened(event)
        self.on_read(readings, events)

    async def _gauge_ledger(self) -> None:
        """Backlog and age four times a second of scenario time, the generator's health once."""
        step_ns = round(_LEDGER_BEAT_S * max(1.0, self.clock.scale) * 1e9)
        due_ns, beat = self.clock.now_ns(), 0
        self.vitals.take()  # preparing is no part of the run
        while True:
            now_ns = self.clock.now_ns()
            self.journal.read(self._ledger_readings(now_ns))
            self.tracker.settle()
            if beat and beat % _VITALS_EVERY == 0:
                self.journal.read([*self._vitals_readings(now_ns), *self._collector_readings(now_ns)])
            beat += 1
            due_ns += max(1, -(-(now_ns - due_ns) // step_ns)) * step_ns
            await self.clock.sleep_until_ns(due_ns)

    def _ledger_readings(self, now_ns: int) -> list[Reading]:
        values = {"backlog_seen": float(self.tracker.backlog), "in_flight": float(self.tracker.n_in_flight)}
        if (oldest_ns := self.tracker.oldest_sched_ns()) is not None:
            values["oldest_age_s"] = (now_ns - oldest_ns) / 1e9
        return [Reading("ledger", name, "value", value, now_ns, now_ns) for name, value in values.items()]

    def _vitals_readings(self, now_ns: int) -> list[Reading]:
        """In warp time, where hundreds of beats come in a real second, at the first and then four times a second."""
        if self.clock.kind is TimeKind.WARP and self.health.rss_bytes and self.vitals.age_s < _LEDGER_BEAT_S:
            return []
        health = self.health = self.vitals.take()
        values = {"cpu_share": health.cpu_share, "rss_bytes": float(health.rss_bytes)}
        if self.clock.kind is not TimeKind.WARP:
            values["loop_lag_max_s"] = health.loop_lag_max_s
        return [Reading("generator", name, "value", value, now_ns, now_ns) for name, value in values.items()]

    def _collector_readings(self, now_ns: int) -> list[Reading]:
        if self.looks is not None:
            return self.looks.readings(now_ns)
        counts, receivers, deletions = self.collector.counts, self.collector.receivers, self.collector.deletions
        full_share = receivers.beat()
        values = {
            "receivers": float(receivers.n),
            "receivers_max": float(receivers.receivers_max),
            "receivers_saturated_s": receivers.saturated_s,
            "received_messages": float(counts.n_messages),
            "receive_errors": float(counts.n_receive_errors),
            "undeleted_messages": float(deletions.n_undeleted),
            "waits_for_deletion": float(deletions.n_waits),
            "foreign_messages": float(counts.n_foreign + self.tracker.n_foreign),
            "malformed_messages": float(counts.n_malformed),
            "duplicate_notices": float(self.tracker.n_duplicates),
        }
        if full_share is not None:
            values["full_receives_share"] = full_share
        return [Reading("generator", name, "value", value, now_ns, now_ns) for name, value in values.items()]

    def snapshot(self) -> Snapshot:
        """The state now, for the view."""
        tracker, now_ns, counts = self.tracker, self.clock.now_ns(), self.collector.counts
        receivers = self.collector.receivers
        oldest_ns = tracker.oldest_sched_ns()
        span = self.load.spans[self.engine.phase_index] if self.load.spans else None
        return Snapshot(
            worker=self.ledger.worker,
            at_ns=now_ns,
            real_elapsed_s=(real_ns() - self._start_real_ns) / 1e9,
            stage=self.stage,
            phase=span.name if span else "",
            phase_index=self.engine.phase_index,
            n_scheduled=self.ledger.n,
            n_due=tracker.n_due(now_ns),
            n_sent=tracker.n_sent,
            n_in_flight=tracker.n_in_flight,
            n_dropped=tracker.n_dropped,
            n_bad_answers=tracker.n_bad_answers,
            n_accepted=tracker.n_accepted,
            backlog_seen=tracker.backlog,
            oldest_age_s=None if oldest_ns is None else (now_ns - oldest_ns) / 1e9,
            outcomes=tracker.outcomes(),
            errors=dict(nlargest(8, tracker.errors.items(), key=itemgetter(1))),
            n_notices=tracker.n_notices,
            n_duplicates=tracker.n_duplicates,
            n_foreign=tracker.n_foreign + counts.n_foreign,
            n_malformed=counts.n_malformed,
            receivers=receivers.n,
            receivers_max=receivers.receivers_max,
            receivers_saturated_s=receivers.saturated_s,
            sojourn=tracker.sojourn.copy(),
            schedule_lag=tracker.schedule_lag.copy(),
            ack=tracker.ack.copy(),
            hearing=tracker.hearing.copy(),
            loop_lag_max_s=self.health.loop_lag_max_s,
            cpu_share=self.health.cpu_share,
            rss_bytes=self.health.rss_bytes,
        )
