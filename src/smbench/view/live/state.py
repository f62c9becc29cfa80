"""The state that the live view draws: with the short history that charts and rates need. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from smbench.analysis.verdict.early_verdict import ThresholdSoFar
from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Reading, Stage
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.history import History

RATE_OVER_S = 10.0  # of scenario time; longer where snapshots lie further apart
_EVENTS_KEPT = 64
_SCALING = ("scaling_activity", "alarm", "capacity")

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What is known of a run before it begins."""

    scenario: str
    target: str  # "emulated endpoint", "endpoint my-endpoint in eu-west-1"
    time_kind: TimeKind
    phases: tuple[PhaseSpan, ...]
    n_scheduled: int
    drain_s: float  # at most
    in_flight_limit: int  # of all workers together
    results: str  # the folder, as the user would type it
    scale: float = 1.0  # scenario seconds per real second; means nothing in warp time
    length: str = ""  # how long the run may last, in a sentence

    @property
    def planned_s(self) -> float | None:
        """From zero to the end of the last phase; None when a closed phase ends when it ends."""
        last = self.phases[-1].end_ns if self.phases else 0
        return None if last is None else last / 1e9


@dataclass(frozen=True, slots=True)
class Rates:
    """Events per second of scenario time over the last `over_s`; None before the second snapshot."""

    offered_hz: float | None = None  # became due
    achieved_hz: float | None = None  # sent
    completed_hz: float | None = None
    over_s: float = RATE_OVER_S


@dataclass(frozen=True, slots=True)
class Gauge:
    """The latest value of a gauge: the instant it speaks of, and when we read it first."""

    value: float
    at_ns: int
    seen_ns: int


class LiveState:
    """Takes what workers and gauges report; everything else here may be read at any time.

    Attributes:
        now: All workers' latest snapshots added up; None until the first.
        rates: Over the last ten seconds of scenario time.
        backlog, instances, offered, completed: Their course since the run began; the latter two per second.
        backlog_peak: The highest of the snapshots; between two of them it may have been higher.
        gauges: The latest of each gauge by name and statistic. A gap leaves the value before it, with its age.
        events: The latest of what became of the endpoint's capacity, oldest first.
        n_events: How many there were in all.
        note: What the run says of itself in words, "uploading the inputs".
        judged: What is known already of the thresholds.
        cautions: What this run cannot know, as it was said before the load.
        is_watched: Another process runs it, and this one only shows it.
    """

    def __init__(self, header: RunHeader) -> None:
        self.header = header
        self.now: Snapshot | None = None
        self.rates = Rates()
        self.backlog, self.instances, self.offered, self.completed = History(), History(), History(), History()
        self.backlog_peak = 0
        self.gauges: dict[tuple[str, str], Gauge] = {}
        self.events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self.n_events = 0
        self.note = ""
        self.judged: tuple[ThresholdSoFar, ...] = ()
        self.cautions: tuple[str, ...] = ()
        self.is_watched = False
        self._workers: dict[int, Snapshot] = {}
        self._counted: deque[tuple[int, int, int, int]] = deque()  # instant, due, sent, completed

    @property
    def workers(self) -> list[Snapshot]:
        """The latest of each worker that has reported."""
        return list(self._workers.values())

    def preparing(self, text: str) -> None:
        """Take what the run says of itself."""
        self.note = text

    def update(self, snapshots: Sequence[Snapshot]) -> None:
        """Take the latest of one or more workers; a worker not among them stays as it was."""
        self._workers |= {snapshot.worker: snapshot for snapshot in snapshots}
        if not self._workers:
            return
        if self.now is None:
            self.note = ""  # it spoke of the preparations
        self.now = now = added(self.workers)
        self.backlog.record(now.at_ns, now.backlog_seen)
        self.backlog_peak = max(self.backlog_peak, now.backlog_seen)
        self._count(now)

    def _count(self, now: Snapshot) -> None:
        counted = self._counted
        if counted and now.at_ns <= counted[-1][0]:
            return
        counted.append((now.at_ns, now.n_due, now.n_sent, now.outcomes.get(Outcome.COMPLETED, 0)))
        # The oldest kept is the latest that lies a whole window back.
        while len(counted) > 2 and counted[1][0] <= now.at_ns - round(RATE_OVER_S * 1e9):
            counted.popleft()
        if len(counted) < 2:
            return
        over_s = (counted[-1][0] - counted[0][0]) / 1e9
        offered, achieved, completed = (
            (latest - before) / over_s for latest, before in zip(counted[-1][1:], counted[0][1:], strict=True)
        )
        self.rates = Rates(offered, achieved, completed, over_s)
        self.offered.record(now.at_ns, offered)
        self.completed.record(now.at_ns, completed)

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        """Take what the gauges read: in any order, the same thing again when it has changed."""
        for reading in readings:
            if reading.value is None:
                continue
            key = reading.name, reading.stat
            before = self.gauges.get(key)
            if before is None or reading.at_ns >= before.at_ns:
                self.gauges[key] = Gauge(reading.value, reading.at_ns, reading.seen_ns)
            if reading.name == "instances_current":
                self.instances.record(reading.at_ns, reading.value)
        for event in events:
            if event.kind in _SCALING:
                self.events.append(event)
                self.n_events += 1

    def whose(self, badness: Callable[[Snapshot], float]) -> str:
        """Whose the worst news is: the generator's, or where several share the load the worst one's name."""
        if len(self._workers) < 2:
            return "the generator"
        return f"worker {max(self._workers.values(), key=badness).worker}"

    def latest_events(self, n: int) -> list[Event]:
        """The last `n` that changed, by their instants; of a scaling activity only its present state."""
        latest: dict[object, Event] = {}
        for event in self.events:
            key = event.name if event.kind == "scaling_activity" else id(event)
            latest.pop(key, None)
            latest[key] = event
        return sorted(list(latest.values())[-n:], key=lambda event: event.at_ns)

    @property
    def elapsed_s(self) -> float:
        """Scenario seconds since the schedule began; 0 before it."""
        return 0.0 if self.now is None else max(0.0, self.now.at_ns / 1e9)

    @property
    def speed(self) -> float | None:
        """Scenario seconds per real second so far; None before any have passed."""
        if self.now is None or self.now.real_elapsed_s <= 0 or self.now.at_ns <= 0:
            return None
        return self.elapsed_s / self.now.real_elapsed_s

    @property
    def progress(self) -> float | None:
        """How much of the schedule's time is over, 0..1; None before it began, after it, and where its end is open."""
        planned_s = self.header.planned_s
        if self.now is None or self.now.stage is not Stage.SENDING or not planned_s:
            return None
        return min(1.0, self.elapsed_s / planned_s)

    @property
    def left_s(self) -> float | None:
        """Real seconds until the last send, at the speed so far; None where either is not known."""
        planned_s, speed = self.header.planned_s, self.speed
        if self.progress is None or planned_s is None or not speed:
            return None
        return max(0.0, planned_s - self.elapsed_s) / speed

    @property
    def phase_progress(self) -> float | None:
        """How much of the phase under way is over, 0..1: of its time, or of its requests where its end is open."""
        now = self.now
        if now is None or not 0 <= now.phase_index < len(self.header.phases):
            return None
        return self.progress_of(self.header.phases[now.phase_index])

    def progress_of(self, phase: PhaseSpan) -> float:
        """How much of a phase is over, 0..1."""
        now = self.now
        if now is None or now.phase_index < phase.index:
            return 0.0
        if now.phase_index > phase.index or now.stage.place > Stage.SENDING.place:
            return 1.0
        if phase.end_ns is not None and phase.end_ns > phase.start_ns:
            done = (now.at_ns - phase.start_ns) / (phase.end_ns - phase.start_ns)
        else:
            n_passed = now.n_sent + now.outcomes.get(Outcome.NOT_SENT, 0)
            done = (n_passed - phase.first_seq) / max(1, phase.n)
        return min(1.0, max(0.0, done))


def added(snapshots: Sequence[Snapshot]) -> Snapshot:
    """One snapshot for all workers: counts and histograms add; of stages and phases the hindmost counts, of bad
    news the worst."""
    if len(snapshots) == 1:
        return snapshots[0]
    hindmost = min(snapshots, key=lambda one: (one.stage.place, one.phase_index))
    return Snapshot(
        worker=hindmost.worker,
        at_ns=max(one.at_ns for one in snapshots),
        real_elapsed_s=max(one.real_elapsed_s for one in snapshots),
        stage=hindmost.stage,
        phase=hindmost.phase,
        phase_index=hindmost.phase_index,
        n_scheduled=sum(one.n_scheduled for one in snapshots),
        n_due=sum(one.n_due for one in snapshots),
        n_sent=sum(one.n_sent for one in snapshots),
        n_in_flight=sum(one.n_in_flight for one in snapshots),
        n_dropped=sum(one.n_dropped for one in snapshots),
        n_bad_answers=sum(one.n_bad_answers for one in snapshots),
        n_accepted=sum(one.n_accepted for one in snapshots),
        backlog_seen=sum(one.backlog_seen for one in snapshots),
        oldest_age_s=max((one.oldest_age_s for one in snapshots if one.oldest_age_s is not None), default=None),
        outcomes=_sums([one.outcomes for one in snapshots]),
        errors=dict(sorted(_sums([one.errors for one in snapshots]).items(), key=lambda error: -error[1])),
        n_notices=sum(one.n_notices for one in snapshots),
        n_duplicates=sum(one.n_duplicates for one in snapshots),
        n_foreign=sum(one.n_foreign for one in snapshots),
        n_malformed=sum(one.n_malformed for one in snapshots),
        receivers=sum(one.receivers for one in snapshots),
        receivers_max=sum(one.receivers_max for one in snapshots),
        receivers_saturated_s=max(one.receivers_saturated_s for one in snapshots),
        sojourn=_all_of([one.sojourn for one in snapshots]),
        schedule_lag=_all_of([one.schedule_lag for one in snapshots]),
        ack=_all_of([one.ack for one in snapshots]),
        hearing=_all_of([one.hearing for one in snapshots]),
        loop_lag_max_s=max(one.loop_lag_max_s for one in snapshots),
        cpu_share=max(one.cpu_share for one in snapshots),
        rss_bytes=sum(one.rss_bytes for one in snapshots),
    )


def _sums(counts: Sequence[dict[_Key, int]]) -> dict[_Key, int]:
    sums: dict[_Key, int] = {}
    for one in counts:
        for key, count in one.items():
            sums[key] = sums.get(key, 0) + count
    return sums


def _all_of(histograms: Sequence[LogHistogram]) -> LogHistogram:
    whole = LogHistogram()
    for histogram in histograms:
        whole.add(histogram)
    return whole
