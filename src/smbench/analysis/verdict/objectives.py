"""What a threshold names, as a figure of the run: exact, within bounds where requests are open, or why not known.

A threshold is a question about the whole schedule. Requests that were never sent because the run was cut short, the
unknown ones of a lost worker, and those that were not answered shortly before the end may have come to any end after
any time, so each figure has the bounds that they leave open; a figure that nothing bounds is not known. In the same
way an accepted request without an end may still join any outcome.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench import units
from smbench.analysis.capacity.scaling import ScalingStep
from smbench.analysis.latency.lateness import lag_limit_s, without_lag
from smbench.analysis.numbers.bounds import Bounded, Seconds
from smbench.analysis.numbers.known import then
from smbench.analysis.rows.backlog import backlog, within
from smbench.analysis.rows.columns import acknowledgements, is_one_of, latencies, only, seconds
from smbench.analysis.rows.frames import Frames, is_streamed
from smbench.analysis.summary import Summary
from smbench.records import MAY_HAVE_COMPLETED, NEVER_COMPLETED, Outcome, Unknown
from smbench.results.law import Counts
from smbench.results.manifest import ImportedFrom
from smbench.scenario.faults import ON_THE_WAY
from smbench.scenario.thresholds import ABOVE_MIN, Threshold
from smbench.schedule.base import not_measured_ns

Instants = npt.NDArray[np.int64]

_NOTHING = "nothing to measure"
_OF_SENT = (Outcome.REJECTED, Outcome.TRANSPORT_ERROR)
_OF_QUEUED = (Outcome.EXPIRED, Outcome.LOST, Outcome.PENDING)  # no end of a call that was never answered
_OF_THE_WAY = (*_OF_SENT, Outcome.LOST, "error_share")
_OF_BACKLOG = ("backlog", "backlog_max", "drain", "drain_s")
_OF_ACCEPTED = (Outcome.FAILED, Outcome.EXPIRED, Outcome.LOST, Outcome.PENDING, *_OF_BACKLOG)
"""Metrics that speak of requests that were sent, and of those that were accepted."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was seen, and in `note` what a reader should know of it."""

    bounds: Bounded
    note: str = ""
    is_thin: bool = False  # a percentile with too few requests above it to show that one is met


def figure(threshold: Threshold, frames: Frames, summary: Summary) -> Figure | Unknown:
    """The figure that a threshold speaks of; of one with `for`, the longest time that its comparison failed."""
    if frames.manifest.kind == "simulated" and (why := _why_not_predicted(threshold, frames)):
        return Unknown(why)
    found = _seen(threshold, frames, summary)
    imported = frames.manifest.imported
    return found if imported is None else then(found, lambda known: _of_file(known, threshold, imported))


def _why_not_predicted(threshold: Threshold, frames: Frames) -> str:
    """Of a prediction, which sends nothing: what it cannot say; empty: it can.

    A synchronous call is answered by the endpoint itself, so that its answer is predicted.
    """
    target = frames.manifest.scenario.get("target") or {}
    if threshold.of == "schedule_lag" or (threshold.of == "ack" and target.get("kind", "async") == "async"):
        return f"a prediction sends nothing, so it has no {threshold.of}"
    faults = (target.get("emulated") or {}).get("faults") or {}
    left_out = [name for name in ON_THE_WAY if faults.get(name)]
    if left_out and threshold.metric in _OF_THE_WAY:
        return f"a prediction leaves out what goes wrong on the way: faults.{', faults.'.join(left_out)}"
    return ""


def _of_file(seen: Figure, threshold: Threshold, imported: ImportedFrom) -> Figure:
    """What another tool's file leaves out may be any number of requests, of any age."""
    bounds, metric = seen.bounds, threshold.metric
    most = 1.0 if threshold.unit == "share" else None
    if not imported.has_unnoticed and metric in (*_OF_SENT, *NEVER_COMPLETED, Outcome.LOST, "error_share"):
        return Figure(bounds.model_copy(update={"high": most}), "requests without a notice are not in the file")
    if not imported.has_unanswered:
        note = "requests without an answer are not in the file"
        if threshold.quantile is not None or metric in ("oldest_age", *_OF_BACKLOG):
            return Figure(bounds.model_copy(update={"high": None}), note, seen.is_thin)
        if metric == "within" or (metric == Outcome.COMPLETED and threshold.unit == "share"):
            return Figure(bounds.model_copy(update={"low": 0.0}), note)
        if metric in ("error_share", Outcome.TRANSPORT_ERROR, Outcome.PENDING):
            return Figure(bounds.model_copy(update={"high": most}), note)
    if not imported.has_failures or (metric in (Outcome.EXPIRED, Outcome.LOST) and not bounds.low):
        note = "the file does not say how a request ended"
        if metric in (*_OF_SENT, *NEVER_COMPLETED, Outcome.LOST, "error_share"):
            return Figure(bounds.model_copy(update={"high": most}), note)
        if metric == Outcome.COMPLETED:
            return Figure(bounds.model_copy(update={"low": 0.0}), note)
    return seen


def _seen(threshold: Threshold, frames: Frames, summary: Summary) -> Figure | Unknown:
    if _is_vacuous(threshold, frames, summary):
        return Unknown(_NOTHING)
    if threshold.quantile is not None:
        found = _percentile(threshold.of, threshold.quantile, frames)
        return then(found, lambda figure: _as_known(figure, threshold, frames, summary))
    if threshold.deadline_s is not None:
        return _within_deadline(threshold, threshold.deadline_s, frames, summary)
    if threshold.lasting_s is not None:
        return Figure(_longest_beyond(threshold, frames))
    if (read := _READ.get(threshold.metric)) is not None:
        return read(frames, summary)
    if threshold.unit == "share":
        return then(_outcome_share(threshold.metric, summary.measured, _n_perhaps(threshold.metric, frames)), Figure)
    return Figure(_outcome_count(threshold.metric, summary.measured, _n_perhaps(threshold.metric, frames)))


def _is_vacuous(threshold: Threshold, frames: Frames, summary: Summary) -> bool:
    """Whether nothing can have come to what is asked: no failure, no backlog where not one request was accepted."""
    counts = summary.measured
    if frames.n_unsure:
        return False
    if threshold.metric == Outcome.NOT_SENT:
        return not counts.scheduled
    if threshold.metric in _OF_SENT:
        return not counts.sent
    return threshold.metric in _OF_ACCEPTED and not counts.accepted


# ---- latency --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Samples:
    """Durations: what those that are known are at most, and at least (None: exactly that).

    Args:
        open_s: Ages of those still open.
        never_s: Ages at which it was certain that it would never be.
    """

    known_s: Seconds
    open_s: Seconds
    never_s: Seconds
    least_s: Seconds | None = None

    @property
    def n(self) -> int:
        return len(self.known_s) + len(self.open_s) + len(self.never_s)

    @property
    def low_s(self) -> Seconds:
        """What each that may be over is at least."""
        return np.concatenate([self.known_s if self.least_s is None else self.least_s, self.open_s])


_COLUMNS = {
    "sojourn": ("sojourn_ns", "age_ns"),
    "service_view": ("service_view_ns", "service_age_ns"),
    "first_part": ("to_first_ns", "age_ns"),
}


def _samples(of: str, frames: Frames) -> _Samples:
    measured, never_sent_s = frames.measured, np.zeros(_n_without_age(frames))
    if of == "schedule_lag":
        return _Samples(seconds(measured, "schedule_lag_ns"), never_sent_s, np.empty(0))
    if of == "ack":
        submitted = acknowledgements(measured)
        return _Samples(submitted.known_s, never_sent_s, submitted.never_s)
    found = latencies(measured, *_COLUMNS[of])
    open_s = np.concatenate([found.open_s, never_sent_s])
    return _Samples(found.known_s, open_s, found.never_s, found.least_s)


def _n_without_age(frames: Frames) -> int:
    """Requests whose fate is open, and of which not even an age is known."""
    return frames.n_unsure - frames.n_unsettled_calls


def _percentile(of: str, quantile: Fraction, frames: Frames) -> Figure | Unknown:
    """By the inverse ECDF, as every percentile of the report: the value of one request."""
    if of == "first_part" and not is_streamed(frames.manifest):
        return Unknown("no answer came in a stream: set request.stream")
    samples = _samples(of, frames)
    n, low, known_s = samples.n, samples.low_s, samples.known_s
    if not n:
        return Unknown(_NOTHING)
    rank = math.ceil(quantile * n)
    n_above = n - rank
    is_thin = quantile < 1 and n_above < ABOVE_MIN
    note = f"{n_above:,} of {n:,} requests lie above" if is_thin else ""
    if rank > len(low):
        longest_s = max(float(ages.max()) for ages in (low, samples.never_s) if len(ages))
        return Figure(Bounded(low=longest_s, high=None, never=True), note, is_thin)
    high = _of_rank(known_s, rank) if rank <= len(known_s) else None
    return Figure(Bounded(low=_of_rank(low, rank), high=high), note, is_thin)


def _as_known(figure: Figure, threshold: Threshold, frames: Frames, summary: Summary) -> Figure:
    """The figure, its lower bound without our own lateness where that reaches it."""
    if threshold.of != "sojourn" or threshold.quantile is None:
        return figure
    median = summary.sojourn.p50
    limit_s = lag_limit_s(None if median is None else median.low)
    low_s = without_lag(frames, limit_s, threshold.quantile)
    if low_s is None or low_s >= figure.bounds.low:
        return figure
    note = f"without the generator's lateness {units.duration(low_s)}"
    noted = "; ".join(part for part in (note, figure.note) if part)
    return Figure(figure.bounds.model_copy(update={"low": low_s}), noted, figure.is_thin)


def _of_rank(values: Seconds, rank: int) -> float:
    return float(np.partition(values, rank - 1)[rank - 1])


def _within_deadline(threshold: Threshold, deadline_s: float, frames: Frames, summary: Summary) -> Figure | Unknown:
    samples = _samples("sojourn" if threshold.since == "schedule" else "service_view", frames)
    n_in = int((samples.known_s <= deadline_s).sum())
    n_perhaps = int((samples.low_s <= deadline_s).sum())
    whole: float = samples.n
    if threshold.metric == "goodput":
        if frames.n_unsure > frames.n_perhaps_taken:  # the rest of the schedule would have taken longer
            return _why_unsure(frames)
        if isinstance(summary.rates.offered_hz, Unknown):
            return summary.rates.offered_hz
        whole = summary.rates.length_s
    if not whole:
        return Unknown(_NOTHING)
    return Figure(Bounded(low=n_in / whole, high=n_perhaps / whole))


def _why_unsure(frames: Frames) -> Unknown:
    if frames.n_cut_short:
        return Unknown("the run was cut short")
    if frames.n_left_out:
        return Unknown("the run stopped when its own thresholds were decided")
    if frames.n_perhaps_taken:
        return Unknown("of some requests it is not known whether they were taken")
    return Unknown("of some requests it is not known whether they were sent")


# ---- outcomes -------------------------------------------------------------------------------------------------


def _n_perhaps(outcome: str, frames: Frames) -> int:
    """Requests whose fate is open, as far as it may be this outcome and they are not counted under it."""
    if outcome in _OF_SENT:
        return frames.n_unsure - frames.n_perhaps_taken
    return _n_without_age(frames) if outcome in _OF_QUEUED else frames.n_unsure


def _outcome_count(outcome: str, counts: Counts, n_cut: int) -> Bounded:
    """At least those counted when the run was over; those without an end, and those never sent, may join them."""
    n: int = getattr(counts, outcome)
    if outcome == Outcome.NOT_SENT:
        return Bounded(low=n, high=n + counts.unknown)
    return Bounded(low=n, high=n + _may_join(outcome, counts) + n_cut)


def _outcome_share(outcome: str, counts: Counts, n_cut: int) -> Bounded | Unknown:
    """Of those scheduled, sent or accepted, as docs/thresholds.md says."""
    n: int = getattr(counts, outcome)
    if outcome == Outcome.NOT_SENT:
        whole = counts.scheduled
        return Bounded(low=n / whole, high=(n + counts.unknown) / whole) if whole else Unknown(_NOTHING)
    whole = counts.sent if outcome in (Outcome.REJECTED, Outcome.TRANSPORT_ERROR) else counts.accepted
    whole += n_cut
    if not whole:
        return Unknown(_NOTHING)
    return Bounded(low=n / whole, high=(n + _may_join(outcome, counts) + n_cut) / whole)


def _may_join(outcome: str, counts: Counts) -> int:
    """Accepted requests whose end is not known, as far as it may be this outcome."""
    if outcome in (Outcome.COMPLETED, *NEVER_COMPLETED):
        return counts.may_have_completed
    return counts.pending if outcome in (Outcome.LOST, Outcome.UNKNOWN_END) else 0


def _oldest_age(frames: Frames, summary: Summary) -> Figure | Unknown:
    ages_s = seconds(frames.measured, "age_ns", frames.measured["accepted"])
    if not len(ages_s):
        return Unknown(_NOTHING)
    is_open = summary.measured.pending or frames.n_unsure
    return Figure(
        Bounded(low=summary.backlog.oldest_age_s or 0.0, high=None if is_open else float(ages_s.max())),
    )


def _first_completion(frames: Frames, _summary: Summary) -> Figure | Unknown:
    measured = frames.measured
    first_ns = measured["sched_ns"].min()
    if not isinstance(first_ns, int):
        return Unknown(_NOTHING)
    completed = only(measured, pl.col("outcome") == Outcome.COMPLETED.value, "done_ns", "doubt_ns")
    done_ns = completed["done_ns"].min()
    is_open = measured.select(is_one_of(MAY_HAVE_COMPLETED).any()).item() or frames.n_unsure
    watched = Bounded(low=max(0, frames.end_ns - first_ns) / 1e9, high=None, never=not is_open)
    if not isinstance(done_ns, int):
        return Figure(watched, "none completed")
    least_ns = (completed["done_ns"] - completed["doubt_ns"]).min()
    assert isinstance(least_ns, int), "as the other"
    return Figure(Bounded(low=max(0, least_ns - first_ns) / 1e9, high=max(0, done_ns - first_ns) / 1e9))


# ---- backlog --------------------------------------------------------------------------------------------------


def _longest_beyond(threshold: Threshold, frames: Frames) -> Bounded:
    """The longest time at a stretch that the backlog was too large; more than that where it was so at the end.

    A request of which it is not known when it left counts until the end in the upper bound, not in the lower; one
    whose end is known to the second only until the end of it in the upper bound, until its beginning in the lower.
    """
    longest_s, is_beyond = _stretch(threshold, frames, frames.requests)
    is_beyond |= bool(frames.n_unsure)  # or might have been, later
    certain = frames.earliest_ends
    least_s = longest_s if certain is None else _stretch(threshold, frames, certain)[0]
    return Bounded(low=least_s, high=None if is_beyond else longest_s)


def _stretch(threshold: Threshold, frames: Frames, requests: pl.DataFrame) -> tuple[float, bool]:
    """The longest stretch of what is measured, and whether the last lasts to the end of the run."""
    curve = backlog(requests, frames.end_ns)
    not_measured = not_measured_ns(frames.spans)
    borders_ns = np.array(sorted({curve.end_ns, *(instant for span in not_measured for instant in span)}))
    borders_ns = borders_ns[borders_ns <= curve.end_ns]
    place = np.searchsorted(curve.at_ns, borders_ns)  # before an equal instant, where it lasts no time
    at_ns = np.insert(curve.at_ns, place, borders_ns)
    level = np.insert(curve.backlog, place, np.concatenate([[0], curve.backlog])[place])
    beyond = level > threshold.value if threshold.op == "<=" else level >= threshold.value
    beyond &= ~within(at_ns, not_measured)
    turns = np.diff(beyond.astype(np.int8), prepend=0)
    starts_ns, ends_ns = at_ns[turns == 1], at_ns[turns == -1]
    lasts = bool(beyond[-1])
    if lasts:
        ends_ns = np.append(ends_ns, curve.end_ns)
    longest_ns = int((ends_ns - starts_ns).max()) if len(starts_ns) else 0
    return longest_ns / 1e9, lasts


# ---- capacity -------------------------------------------------------------------------------------------------


def _scale_out(frames: Frames, summary: Summary) -> Figure | Unknown:
    """The slowest reaction: a breach is answered by the first capacity decided for it or later that serves."""
    out = [step for step in summary.scaling.steps if step.is_out]
    if frames.n_unsure:
        return _why_unsure(frames)
    reactions = [_reaction(step.breach_at_s, step, out, frames) for step in out if step.breach_at_s is not None]
    if not reactions:
        return Unknown(
            "breach time unknown: no alarm history or activity reported it" if out else "no scale-out was seen"
        )
    n_untold = sum(step.breach_at_s is None and not step.policy for step in out)
    return Figure(_greatest(reactions), f"{n_untold:,} more without a reported breach" if n_untold else "")


def _reaction(breach_at_s: float, step: ScalingStep, out: Sequence[ScalingStep], frames: Frames) -> Bounded:
    """From the breach to the first capacity that was decided with this step or after it and serves."""
    later = (one.in_service_at_s for one in out if one.decided_at_s >= step.decided_at_s)
    serving = [at_s for at_s in later if at_s is not None]
    seen_s = max(0.0, min(serving, default=frames.end_ns / 1e9) - breach_at_s)
    return Bounded(low=seen_s, high=seen_s if serving else None)


def _greatest(figures: Sequence[Bounded]) -> Bounded:
    """The greatest of several that are each known within bounds."""
    highs = [figure.high for figure in figures if figure.high is not None]
    is_bounded = len(highs) == len(figures)
    return Bounded(low=max(figure.low for figure in figures), high=max(highs) if is_bounded else None)


def _cost_per_1000(frames: Frames, summary: Summary) -> Figure | Unknown:
    """Beyond every number where something was accepted and nothing completed.

    Where requests without an end complete after all they make it less, and the time that they take is paid, too.
    """
    if frames.n_unsure:
        return _why_unsure(frames)
    counts, usd = summary.measured, then(summary.cost, lambda cost: cost.usd)
    n_most = counts.completed + counts.may_have_completed
    if isinstance(usd, Unknown) or not counts.accepted:
        return usd if isinstance(usd, Unknown) else Unknown(_NOTHING)
    if not n_most:
        return Figure(Bounded(low=1000 * usd, high=None, never=True), "none completed")
    is_over = counts.completed and not counts.pending
    return Figure(Bounded(low=1000 * usd / n_most, high=1000 * usd / counts.completed if is_over else None))


def _backlog_peak(frames: Frames, summary: Summary) -> Figure | Unknown:
    """Those of which it is not known whether they had left count in the upper bound only."""
    peak = summary.backlog.peak_within
    return Figure(peak.model_copy(update={"high": None}) if frames.n_unsure else peak)


def _drain(frames: Frames, summary: Summary) -> Figure | Unknown:
    """From the last send: where some were never sent, that would have been later."""
    if frames.n_unsure > frames.n_perhaps_taken:
        return _why_unsure(frames)
    may_last = bool(frames.n_perhaps_taken)
    return then(
        summary.backlog.drain,
        lambda known: Figure(known.model_copy(update={"high": None}) if may_last else known),
    )


def _error_share(frames: Frames, summary: Summary) -> Figure | Unknown:
    return then(summary.error_share, lambda known: Figure(_with_those_unsure(known, summary.measured, frames.n_unsure)))


def _with_those_unsure(share: Bounded, counts: Counts, n_unsure: int) -> Bounded:
    """The share of errors among all answers, had every request of unknown fate been answered too."""
    n_answered = counts.accepted + counts.rejected
    whole = n_answered + n_unsure
    high = share.low if share.high is None else share.high
    return Bounded(low=share.low * n_answered / whole, high=(high * n_answered + n_unsure) / whole)


_READ: dict[str, Callable[[Frames, Summary], Figure | Unknown]] = {
    "backlog": _backlog_peak,
    "backlog_max": _backlog_peak,
    "oldest_age": _oldest_age,
    "drain": _drain,
    "drain_s": _drain,
    "error_share": _error_share,
    "first_completion": _first_completion,
    "scale_out": _scale_out,
    "cost_per_1000": _cost_per_1000,
}
