"""Verdicts on thresholds during a run: only where nothing that is still to come can change them.

Snapshots hold counts and histograms; from them follow bounds on each figure of the finished run, and a threshold is
judged by them as the report judges it. Where the bounds leave it open there is no verdict, only a figure so far.

What the bounds allow for. A request may have ended without our knowing: every end is known within `h`, ten
seconds or twice the longest hearing so far, so open at t - h is whatever was accepted by then and has not been heard
of by t. AWS's clock may be two seconds off ours. Of the counts of a run with warm-up phases any may be warm-up. A
notice that is lost can prove a verdict wrong; the report, which judges by the files alone, then says so.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from smbench import units
from smbench.analysis.numbers.bounds import Bounded
from smbench.records import ENDED, Outcome, Stage
from smbench.scenario.thresholds import Threshold
from smbench.schedule.base import PhaseSpan, not_measured_ns
from smbench.snapshot import LogHistogram, Snapshot

HEARING_MIN_S = 10.0
CLOCKS_S = 2.0  # further off, AWS's clock is corrected in the report, or the run is not believed
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_ANYTHING = Bounded(low=0.0, high=None)


@dataclass(frozen=True, slots=True)
class ThresholdSoFar:
    """A threshold while the run goes on. `verdict` None: it may still be met or missed."""

    text: str
    so_far: str  # `~` before what is only an estimate; empty where nothing is known yet
    verdict: bool | None


class EarlyVerdict:
    """Takes snapshots, and says of each threshold what is certain.

    Args:
        thresholds: Those of the scenario, read.
        spans: The phases, for what is warm-up.
    """

    def __init__(self, thresholds: Sequence[Threshold], spans: Sequence[PhaseSpan]) -> None:
        self.thresholds = tuple(thresholds)
        self.judged = tuple(ThresholdSoFar(one.text, "", None) for one in thresholds)
        endless = [(span.start_ns, None) for span in spans if span.warmup and span.end_ns is None]
        self._not_measured: list[tuple[int, int | None]] = [*not_measured_ns(spans), *endless]
        self._n_warmup = sum(span.n for span in spans if span.warmup)
        self._n_all = sum(span.n for span in spans)
        self._moments_ns: list[int] = []  # a second apart at least
        self._accepted: list[int] = []  # by each of them
        self._stretches = {one: _Stretch() for one in self.thresholds if one.lasting_s is not None}
        self._n_settled = 0  # moments up to which the backlog has been looked at
        self._peak = 0
        self._oldest_s = 0.0
        self._first_due_ns: int | None = None
        self._sending_ended_ns: int | None = None
        self._n_accepted_at_end = 0

    @property
    def conclusion(self) -> str:
        """Why nothing that may come can change the verdict on all thresholds; empty while something can."""
        missed = [one for one in self.judged if one.verdict is False]
        if missed:
            return f"certain to miss {', '.join(one.text for one in missed)}"
        if self.judged and all(one.verdict for one in self.judged):
            return "certain to meet every threshold"
        return ""

    def update(self, now: Snapshot, told_until_ns: int) -> None:
        """Take the sum of all workers' latest snapshots.

        Args:
            told_until_ns: The oldest of them: what was received later may be missing. `now.at_ns` is the latest.
        """
        hearing_s = max(HEARING_MIN_S, 2 * (now.hearing.maximum or 0.0))
        known_ns = told_until_ns - round(hearing_s * 1e9)  # whatever ended by then has been heard
        self._remember(now)
        self._look_at_backlog(now, known_ns)
        seen = _Seen(now, self._n_all, self._n_warmup)
        self.judged = tuple(
            before if before.verdict is not None else self._judge(threshold, seen, known_ns)
            for threshold, before in zip(self.thresholds, self.judged, strict=True)
        )

    def _remember(self, now: Snapshot) -> None:
        if now.n_due and self._first_due_ns is None:
            self._first_due_ns = now.at_ns
        if now.stage.place > Stage.SENDING.place and self._sending_ended_ns is None:
            self._sending_ended_ns, self._n_accepted_at_end = now.at_ns, now.n_accepted
        if not self._moments_ns or now.at_ns >= self._moments_ns[-1] + 1_000_000_000:
            self._moments_ns.append(now.at_ns)
            self._accepted.append(now.n_accepted)

    def _look_at_backlog(self, now: Snapshot, known_ns: int) -> None:
        """Between two moments in the past the backlog was at least what the first accepted less what has ended now.

        Ends up to now are more than those up to the second moment, so this finds only what has stayed large since.
        """
        n_ended = _n_ended(now)
        if known_ns >= 0 and now.oldest_age_s is not None and not self._n_warmup:
            self._oldest_s = max(self._oldest_s, now.oldest_age_s - (now.at_ns - known_ns) / 1e9)
        while (after := self._n_settled + 1) < len(self._moments_ns) and self._moments_ns[after] <= known_ns:
            start_ns, end_ns = self._moments_ns[after - 1], self._moments_ns[after]
            level = 0 if self._is_left_out(start_ns, end_ns) else max(0, self._accepted[after - 1] - n_ended)
            self._peak = max(self._peak, level)
            for threshold, stretch in self._stretches.items():
                stretch.take(start_ns, end_ns, is_beyond=not threshold.holds(level))
            self._n_settled = after

    def _is_left_out(self, start_ns: int, end_ns: int) -> bool:
        return any(since < end_ns and (until is None or start_ns < until) for since, until in self._not_measured)

    def _n_open_since(self, instant_ns: int, now: Snapshot) -> int:
        """How many, at the least, had been accepted by then and were open when last everything was known."""
        place = bisect_right(self._moments_ns, instant_ns)
        return max(0, self._accepted[place - 1] - _n_ended(now)) if place else 0

    # ---- bounds -----------------------------------------------------------------------------------------------

    def _judge(self, threshold: Threshold, seen: "_Seen", known_ns: int) -> ThresholdSoFar:
        asked = threshold if threshold.lasting_s is None else threshold.of_its_duration()
        bounds = self._bounds(threshold, seen, known_ns)
        verdict = None if bounds is None else bounds.meets(asked)
        if verdict and threshold.n_needed > seen.surely(_n_ranked(threshold, seen.now)):
            verdict = None  # stopped now, the run had too few requests to show it
        return ThresholdSoFar(threshold.text, so_far(threshold, seen.now), verdict)

    def _bounds(self, threshold: Threshold, seen: "_Seen", known_ns: int) -> Bounded | None:
        """Between which values the figure of the finished run will lie, its own bounds included; None: no telling."""
        if (stretch := self._stretches.get(threshold)) is not None:
            return Bounded(low=max(0.0, stretch.longest_s - CLOCKS_S), high=None)
        if threshold.quantile is not None:
            return self._percentile(threshold, threshold.quantile, seen, known_ns)
        if (outcome := _OUTCOMES.get(threshold.metric)) is not None:
            if outcome is not Outcome.NOT_SENT and not seen.surely(seen.now.n_sent):
                return None  # stopped now, the run had nothing to measure
            return seen.share(outcome) if threshold.unit == "share" else seen.count(outcome)
        match threshold.metric:
            case "within":
                return self._within(threshold, seen, known_ns)
            case "backlog" | "backlog_max":
                return Bounded(low=self._peak, high=None)
            case "oldest_age":
                return self._oldest_age(seen.now)
            case "drain" | "drain_s":
                return self._drain(seen.now, known_ns)
            case "first_completion":
                return self._first_completion(seen, known_ns)
        return seen.error_share() if threshold.metric == "error_share" else None

    def _percentile(self, threshold: Threshold, quantile: Fraction, seen: "_Seen", known_ns: int) -> Bounded | None:
        limit_s = threshold.value
        if threshold.of == "schedule_lag":
            lag = seen.now.schedule_lag
            n_over, n_in, n_never = seen.surely(_n_above(lag, limit_s)), seen.surely(_n_below(lag, limit_s)), 0
        elif threshold.of in ("sojourn", "service_view"):
            (n_over, n_in), n_never = self._sides(threshold.of, limit_s, seen, known_ns), seen.surely(seen.n_never)
        else:
            return None
        return _percentile(quantile, limit_s, seen.n_sent_max, n_over, n_in, n_never)

    def _within(self, threshold: Threshold, seen: "_Seen", known_ns: int) -> Bounded | None:
        if threshold.deadline_s is None or not seen.n_sent_max:
            return None
        of = "sojourn" if threshold.since == "schedule" else "service_view"
        n_over, n_in = self._sides(of, threshold.deadline_s, seen, known_ns)
        return Bounded(low=n_in / seen.n_sent_max, high=1 - n_over / seen.n_sent_max)

    def _oldest_age(self, now: Snapshot) -> Bounded:
        longest = max(now.sojourn.counts, default=0) if not self._n_warmup else 0
        done_s = now.sojourn.edges(longest)[0] - CLOCKS_S
        return Bounded(low=max(self._oldest_s, done_s, 0.0), high=None)

    def _sides(self, of: str, limit_s: float, seen: "_Seen", known_ns: int) -> tuple[int, int]:
        """How many requests are certain to take longer than the limit, and how many certainly did not."""
        now = seen.now
        n_over = seen.n_never + self._n_open_since(known_ns - round(limit_s * 1e9) - 1, now)
        if of == "sojourn":
            n_over += _n_above(now.sojourn, limit_s + CLOCKS_S)
        return seen.surely(n_over), seen.surely(_n_below(now.sojourn, limit_s - CLOCKS_S))

    def _drain(self, now: Snapshot, known_ns: int) -> Bounded:
        ended_ns = self._sending_ended_ns
        if ended_ns is None or _n_ended(now) >= self._n_accepted_at_end or known_ns <= ended_ns:
            return _ANYTHING
        return Bounded(low=max(0.0, (known_ns - ended_ns) / 1e9 - CLOCKS_S), high=None)

    def _first_completion(self, seen: "_Seen", known_ns: int) -> Bounded:
        if seen.n(Outcome.COMPLETED) or self._first_due_ns is None or self._n_warmup:
            return _ANYTHING
        return Bounded(low=max(0.0, (known_ns - self._first_due_ns) / 1e9 - CLOCKS_S), high=None)


@dataclass(slots=True)
class _Stretch:
    """The longest time at a stretch that something was so."""

    longest_s: float = 0.0
    since_ns: int | None = None

    def take(self, start_ns: int, end_ns: int, *, is_beyond: bool) -> None:
        if not is_beyond:
            self.since_ns = None
            return
        self.since_ns = start_ns if self.since_ns is None else self.since_ns
        self.longest_s = max(self.longest_s, (end_ns - self.since_ns) / 1e9)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Counts so far, and what they can become: a refused or unanswered request may yet prove to have been taken."""

    now: Snapshot
    n_all: int
    n_warmup: int

    def n(self, outcome: Outcome) -> int:
        return self.now.outcomes.get(outcome, 0)

    def surely(self, n: int) -> int:
        """At least so many of them are no warm-up."""
        return max(0, n - self.n_warmup)

    @property
    def n_measured(self) -> int:
        return self.n_all - self.n_warmup

    @property
    def n_never(self) -> int:
        return self.n(Outcome.FAILED) + self.n(Outcome.EXPIRED)

    @property
    def n_sent_max(self) -> int:
        return self.n_measured - self.surely(self.n(Outcome.NOT_SENT))

    @property
    def _n_undecided(self) -> int:
        n_decided = _n_ended(self.now) - self.n(Outcome.UNKNOWN_END)  # of which a later notice may say more
        return self.n_all - n_decided - self.n(Outcome.NOT_SENT)

    def count(self, outcome: Outcome) -> Bounded:
        if outcome is Outcome.NOT_SENT:
            most = self.n_all - self.now.n_sent
            return Bounded(low=self.surely(self.n(outcome)), high=min(self.n_measured, most))
        if outcome not in ENDED:
            return Bounded(low=0, high=min(self.n_measured, self._n_undecided))
        return Bounded(low=self.surely(self.n(outcome)), high=min(self.n_measured, self.n(outcome) + self._n_undecided))

    def share(self, outcome: Outcome) -> Bounded:
        if outcome not in ENDED or not self.n_sent_max:
            return Bounded(low=0.0, high=1.0)
        n_other = self.surely(_n_ended(self.now) - self.n(Outcome.UNKNOWN_END) - self.n(outcome))
        return Bounded(low=self.surely(self.n(outcome)) / self.n_sent_max, high=1 - n_other / self.n_sent_max)

    def error_share(self) -> Bounded | None:
        if not self.n_sent_max:
            return None
        return Bounded(
            low=self.surely(self.n_never) / self.n_sent_max,
            high=1 - self.surely(self.n(Outcome.COMPLETED)) / self.n_sent_max,
        )


def _n_ended(now: Snapshot) -> int:
    return sum(now.outcomes.get(outcome, 0) for outcome in ENDED)


def _n_ranked(threshold: Threshold, now: Snapshot) -> int:
    """Of how many requests its percentile is, so far."""
    return now.n_sent if threshold.of == "schedule_lag" else now.n_accepted


def _percentile(quantile: Fraction, limit_s: float, n_max: int, n_over: int, n_in: int, n_never: int) -> Bounded:
    """Of at most `n_max` requests: on which side of the limit the percentile will lie, where that is certain.

    The more requests there are, the more may lie above the percentile and the more must lie below it.
    """
    rank = math.ceil(quantile * n_max)
    if n_never > n_max - rank:
        return Bounded(low=0.0, high=None, never=True)
    if n_over > n_max - rank:
        return Bounded(low=math.nextafter(limit_s, math.inf), high=None)
    if n_max and n_in >= rank:
        return Bounded(low=0.0, high=math.nextafter(limit_s, -math.inf))
    return _ANYTHING


_EDGE = 1e-9  # a duration at the edge of two buckets may stand in either


def _n_above(histogram: LogHistogram, limit_s: float) -> int:
    """Durations certainly longer than the limit."""
    return sum(n for bucket, n in histogram.counts.items() if histogram.edges(bucket)[0] > limit_s * (1 + _EDGE))


def _n_below(histogram: LogHistogram, limit_s: float) -> int:
    """Durations certainly shorter than the limit."""
    return sum(n for bucket, n in histogram.counts.items() if histogram.edges(bucket)[1] < limit_s * (1 - _EDGE))


def so_far(threshold: Threshold, now: Snapshot) -> str:
    """The figure at this moment, for a person; with `~` where it is an estimate, warm-up included. Empty: none yet."""
    if threshold.quantile is not None:
        histogram = {"sojourn": now.sojourn, "schedule_lag": now.schedule_lag, "ack": now.ack}.get(threshold.of)
        quantile_s = None if histogram is None else histogram.quantile(float(threshold.quantile))
        return "" if quantile_s is None else f"~{units.duration(quantile_s)}"
    if (outcome := _OUTCOMES.get(threshold.metric)) is not None:
        n = now.outcomes.get(outcome, 0)
        if threshold.unit == "requests":
            return f"{n:,}"
        return f"~{units.share(n / now.n_accepted)}" if now.n_accepted else ""
    if threshold.metric in ("backlog", "backlog_max"):
        return f"{now.backlog_seen:,}"
    if threshold.metric == "oldest_age" and now.oldest_age_s is not None:
        return units.duration(now.oldest_age_s)
    return ""
