"""What a threshold names, of a foreseen load: one number a replication, on the side that is worse where it is open."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smbench.analysis.rows.backlog import within
from smbench.errors import UsageError
from smbench.prediction.engine.foresee import COMPLETED, EXPIRED, FAILED, OUTCOMES, PENDING, Foreseen
from smbench.scenario.thresholds import Threshold
from smbench.schedule.base import PhaseSpan, not_measured_ns

_LOST = len(OUTCOMES)  # no end is known, and it can no longer come
_COUNTS = {"completed": COMPLETED, "failed": FAILED, "expired": EXPIRED, "lost": _LOST, "pending": PENDING}
_MAY_BE = {FAILED: (PENDING, _LOST), EXPIRED: (PENDING, _LOST), _LOST: (PENDING,)}  # what may yet turn out to be each
_OTHERS = ("error_share", "backlog", "backlog_max", "drain", "drain_s", "within", "goodput", "first_completion")
_COST = "cost_per_1000"
_MORE_IS_BETTER = ("completed", "within", "goodput")

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """Which rows of a schedule are measured, and how long the phases are that have them."""

    rows: Mask  # of the schedule: not of a warm-up phase
    from_ns: int  # where the first measured phase begins
    length_ns: int | None  # from there to the last one's end, with what is between them; None: a closed one has none
    without_ns: tuple[tuple[int, int], ...] = ()  # where figures over time do not look

    @classmethod
    def of(cls, spans: tuple[PhaseSpan, ...]) -> "Measured":
        """Those of a schedule's phases."""
        rows = np.repeat([not span.warmup for span in spans], [span.n for span in spans])
        measured = [span for span in spans if not span.warmup and span.n]
        from_ns = min((span.start_ns for span in measured), default=0)
        ends_ns = [span.end_ns for span in measured if span.end_ns is not None]
        length_ns = None if len(ends_ns) < len(measured) else max(ends_ns, default=from_ns) - from_ns
        return cls(rows.astype(bool), from_ns, length_ns, tuple(not_measured_ns(spans)))

    def per_second(self, n: int, last_end_ns: int) -> float:
        """So many as a rate; NaN where all are due at one instant.

        Args:
            last_end_ns: Of a measured request, with which a closed phase ends.
        """
        length_ns = last_end_ns - self.from_ns if self.length_ns is None else self.length_ns
        return n / length_ns * 1e9 if length_ns > 0 else math.nan


def require_known(threshold: Threshold) -> None:
    """Refuse a threshold that a prediction has no figure for.

    Raises:
        UsageError: it names such a metric.
    """
    known = (*_COUNTS, *_OTHERS, _COST)
    if threshold.of in ("sojourn", "service_view"):
        return
    if threshold.metric == "scale_out":
        raise UsageError(
            f"'{threshold.text}': a policy that need not scale out has no reaction, so policies cannot be ranked by it",
            "ask for what a slow reaction does to requests: pNN, within(...) or backlog_max",
        )
    if threshold.metric not in known:
        raise UsageError(
            f"'{threshold.text}': a prediction of many policies has no {threshold.metric}",
            f"it has pNN, sojourn_pNN, service_view_pNN, {', '.join(known)}",
        )


def is_worse_high(threshold: Threshold) -> bool:
    """Whether a larger figure is worse: an exact value says it by its metric."""
    if threshold.op in ("==", "!="):
        return threshold.metric not in _MORE_IS_BETTER
    return threshold.op in ("<", "<=")


def figure(threshold: Threshold, seen: Foreseen, measured: Measured, usd: float | None) -> float:
    """The figure of a threshold in its unit; infinite where it has no bound, NaN where nothing was measured.

    Args:
        threshold: One with `for` as `of_its_duration` makes it.
        usd: What the instances cost; None: the price is not known.
    """
    rows = measured.rows[seen.rows]
    outcome = _as_told(seen)[rows]
    if not len(outcome):
        return math.nan
    if threshold.lasted is not None:
        return _longest_beyond(threshold.lasted, seen, measured)
    if threshold.quantile is not None:
        return _percentile(threshold, seen, rows, outcome)
    if threshold.metric in ("within", "goodput"):
        latency_s = (seen.told_ns - seen.sched_ns)[rows] / 1e9
        n_in = int(((outcome == COMPLETED) & (latency_s <= (threshold.deadline_s or 0.0))).sum())
        if threshold.metric == "within":
            return n_in / len(outcome)
        return measured.per_second(n_in, int(max(seen.told_ns[rows].max(), seen.sched_ns[rows].max())))
    if threshold.metric in _COUNTS:
        return _count(threshold, outcome)
    if threshold.metric == "error_share":
        return float((outcome != COMPLETED).mean())
    if threshold.metric == _COST:
        n = int((outcome == COMPLETED).sum())
        return math.nan if usd is None else 1000 * usd / n if n else math.inf
    return _over_time(threshold.metric, seen, measured, outcome)


def _as_told(seen: Foreseen) -> NDArray[np.int8]:
    """What the client knows of each request: `seen.outcome`, or `_LOST` where no end can come any more."""
    is_too_old = seen.end_ns - seen.sched_ns > seen.longest_life_ns
    outcomes: NDArray[np.int8] = np.where(seen.seen_ns >= 0, seen.outcome, np.where(is_too_old, _LOST, PENDING))
    return outcomes


def _percentile(threshold: Threshold, seen: Foreseen, rows: Mask, outcome: NDArray[np.int8]) -> float:
    """By the inverse ECDF over all accepted; what did not complete is above every value."""
    latency_s = np.where(outcome == COMPLETED, (seen.told_ns - seen.sched_ns)[rows] / 1e9, math.inf)
    rank = math.ceil((threshold.quantile or 1) * len(latency_s))
    return float(np.partition(latency_s, rank - 1)[rank - 1])


def _count(threshold: Threshold, outcome: NDArray[np.int8]) -> float:
    """Those that may still join count where that is worse."""
    wanted = _COUNTS[threshold.metric]
    n = int((outcome == wanted).sum())
    if is_worse_high(threshold) and (may_join := _MAY_BE.get(wanted)):
        n += int(np.isin(outcome, may_join).sum())
    return n / len(outcome) if threshold.unit == "share" else float(n)


def _over_time(metric: str, seen: Foreseen, measured: Measured, outcome: NDArray[np.int8]) -> float:
    rows = measured.rows[seen.rows]
    if metric == "first_completion":
        told_ns = seen.told_ns[rows][outcome == COMPLETED]
        return (int(told_ns.min()) - int(seen.sched_ns[rows].min())) / 1e9 if len(told_ns) else math.inf
    if metric in ("drain", "drain_s"):
        everything = _as_told(seen)
        if (everything == PENDING).any():
            return math.inf
        # What is lost has left the endpoint at last when it can no longer end.
        over_ns = seen.end_ns if (everything == _LOST).any() else int(seen.told_ns.max())
        return max(0, over_ns - int(seen.sched_ns.max())) / 1e9
    return float(backlog_peak(seen, measured.without_ns))


def _longest_beyond(lasted: tuple[str, float], seen: Foreseen, measured: Measured) -> float:
    """The longest time at a stretch beyond a level, of what is measured; infinite where it was so at the end."""
    op, level = lasted
    ended_ns = np.sort(seen.told_ns[seen.seen_ns >= 0])
    borders_ns = [at_ns for span in measured.without_ns for at_ns in span if at_ns <= seen.end_ns]
    knots_ns = np.unique(np.concatenate([seen.sched_ns, ended_ns, np.array([*borders_ns, seen.end_ns], np.int64)]))
    knots_ns = knots_ns[knots_ns <= seen.end_ns]
    backlog = np.searchsorted(seen.sched_ns, knots_ns, side="right") - np.searchsorted(ended_ns, knots_ns, side="right")
    is_beyond = backlog > level if op == "<=" else backlog >= level
    is_beyond &= ~within(knots_ns, measured.without_ns)
    if is_beyond[-1]:
        return math.inf
    turns = np.diff(is_beyond.astype(np.int8), prepend=0)
    lengths_ns = knots_ns[turns == -1] - knots_ns[turns == 1]
    return float(lengths_ns.max(initial=0)) / 1e9


def backlog_peak(seen: Foreseen, without_ns: Sequence[tuple[int, int]] = ()) -> int:
    """The most requests that were accepted and of which no end was known; one found in S3 ends as late as it may.

    Args:
        without_ns: Spans to leave out, their ends not.
    """
    ended_ns = np.sort(seen.told_ns[seen.told_ns >= 0])
    ends_ns = np.array([end_ns for _, end_ns in without_ns if end_ns < seen.end_ns], dtype=np.int64)
    # It is highest just after an arrival, or where a span ends; an end of the same instant came before it.
    at_ns = np.concatenate([seen.sched_ns, ends_ns])
    backlog = np.searchsorted(seen.sched_ns, at_ns, side="right") - np.searchsorted(ended_ns, at_ns, side="right")
    return int(backlog[~within(at_ns, without_ns)].max(initial=0))


def instance_s(seen: Foreseen, from_ns: int) -> float:
    """Instance-seconds paid from an instant to the end of the run: each from its launch until it has left."""
    return paid_s(seen.billed, seen.end_ns, from_ns)


def paid_s(billed: Sequence[tuple[int, int]], end_ns: int, from_ns: int) -> float:
    """The same of so many instances paid for from each instant on."""
    at_ns = np.array([at for at, _ in billed], dtype=np.int64)
    n = np.array([count for _, count in billed], dtype=np.float64)
    edges_ns = np.clip(np.append(at_ns, end_ns), from_ns, end_ns)
    return float((n * np.diff(edges_ns)).sum() / 1e9)
