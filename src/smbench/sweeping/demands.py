"""What must hold at a rate: thresholds on a share of the requests, as those of a scenario are written.

A percentile below a value, a share of errors, a share within a deadline: each says that at most some share of the
requests may miss. Such a share settles down however long one runs, so there is a highest rate that keeps it. A count,
a maximum or a backlog grows with the length of a run, and a cost falls with the rate: these are refused, by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from smbench.analysis.rows.columns import MAY_BE_ACCEPTED, is_one_of
from smbench.analysis.rows.frames import Frames
from smbench.errors import UsageError
from smbench.records import MAY_HAVE_COMPLETED, Outcome
from smbench.scenario.thresholds import Threshold, ThresholdError, written_threshold

Of = Literal["due", "sent", "answered", "accepted"]
COMPLETES = "99% of the requests complete"
_COMPLETES_MISSES = 0.01
_OF_ERRORS = {"completed", "failed", "rejected", "error_share", "within", "transport_error"}
_OF_SENDING = ("rejected", "transport_error")  # known as soon as a request is sent
_ASYNC_ONLY = {"expired", "lost", "service_view"}
_WHY_NOT = {
    "schedule_lag": "it is a figure of the generator, not of the endpoint",
    "max": "a maximum grows with the length of a run: name a percentile, such as p99.9",
    "backlog": "a backlog depends on how long one runs: a search finds where it stops growing without being asked",
    "drain": "it depends on how long one ran before",
    "oldest_age": "a maximum grows with the length of a run: name a percentile, such as p99.9",
    "goodput": "it grows with the rate, so no highest rate keeps it: write within(30s) >= 99%",
    "cost_per_1000": "it falls with the rate, so no highest rate keeps it",
    "pending": "what is open at the end depends on how long one ran",
    "not_sent": "it is a figure of the generator, not of the endpoint",
    "first_completion": "it is of a run's beginning, and a search leaves that out",
    "scale_out": "it is of a run's beginning, and a search leaves that out",
}


@dataclass(frozen=True, slots=True)
class Demand:
    """At most the share `allowed` of the requests `of` which it speaks may miss."""

    text: str
    allowed: float
    of: Of
    threshold: Threshold | None = None  # None: a request misses that does not complete

    @property
    def is_of_latency(self) -> bool:
        """Whether waiting decides it, and so whatever makes neighbours wait alike."""
        return self.threshold is not None and (
            self.threshold.quantile is not None or self.threshold.deadline_s is not None
        )

    def missed(self, frames: Frames) -> tuple[pl.Series, pl.Series]:
        """Of each measured request in order of schedule, whether it missed: at least and at most, 0 or 1."""
        rows = frames.measured.sort("sched_ns", "send_ns", "age_ns")
        rows = rows.filter(_DENOMINATORS[self.of])
        certain, perhaps = self._misses()
        both = rows.select(certain.cast(pl.Float64).alias("least"), (certain | perhaps).cast(pl.Float64).alias("most"))
        return both["least"], both["most"]

    def _misses(self) -> tuple[pl.Expr, pl.Expr]:
        """Which requests missed, and which may have."""
        threshold = self.threshold
        # A synchronous call that was given up has missed: its caller has no answer.
        is_open = is_one_of(MAY_HAVE_COMPLETED)
        if threshold is None or threshold.metric == "completed":
            return ~is_one_of((Outcome.COMPLETED,)) & ~is_open, is_open
        if threshold.metric == "error_share":
            return ~is_one_of((Outcome.COMPLETED,)) & ~is_open, is_open
        if threshold.of == "ack":
            late = _later(pl.col("acknowledging_ns"), threshold.op, threshold.value)
            return late | pl.col("status_code").is_null(), pl.lit(value=False)
        if threshold.of == "first_part":
            late = _later(pl.col("to_first_ns").fill_null(pl.col("age_ns")), threshold.op, threshold.value)
            never = pl.col("to_first_ns").is_null() & ~is_open
            return late | never, is_open & ~late
        if threshold.quantile is not None or threshold.deadline_s is not None:
            limit_s = threshold.value if threshold.deadline_s is None else threshold.deadline_s
            by_service = threshold.of == "service_view" or threshold.since == "acceptance"
            op = threshold.op if threshold.deadline_s is None else "<="
            late = _later(pl.col("service_age_ns" if by_service else "age_ns"), op, limit_s)
            never = ~is_one_of((Outcome.COMPLETED,)) & ~is_open
            return late | never, is_open & ~late
        may_be = pl.lit(value=False) if threshold.metric in _OF_SENDING else pl.col("is_unsettled")
        return is_one_of((Outcome(threshold.metric),)), may_be


_DENOMINATORS: dict[str, pl.Expr] = {
    "due": pl.lit(value=True),
    "sent": pl.col("send_ns").is_not_null(),
    "answered": MAY_BE_ACCEPTED | is_one_of((Outcome.REJECTED,)),
    "accepted": MAY_BE_ACCEPTED,
}


def demands_of(texts: Sequence[str], kind: str, *, in_stream: bool = False) -> tuple[Demand, ...]:
    """The demands that thresholds write; that 99 % complete is added where none speaks of errors.

    Args:
        kind: Of endpoint: async, serverless or realtime.
        in_stream: Answers come in a stream.

    Raises:
        UsageError: one is no threshold, or no rate is the highest that keeps it.
    """
    demands = [_demand(text, kind, in_stream=in_stream) for text in dict.fromkeys(texts)]
    if not any(one.threshold is not None and one.threshold.metric in _OF_ERRORS for one in demands):
        demands.append(Demand(COMPLETES, _COMPLETES_MISSES, "due"))
    return tuple(demands)


def _demand(text: str, kind: str, *, in_stream: bool) -> Demand:
    try:
        threshold = written_threshold(text)
    except ThresholdError as error:
        meant = f"did you mean '{error.meant}'?" if error.meant else ""
        raise UsageError(f"--slo '{text}': {error}", meant) from None
    why = _why_not(threshold, kind)
    if threshold.of == "first_part" and not in_stream:
        why = "the answers of this scenario do not come in a stream"
    if why:
        raise UsageError(f"--slo '{text}' cannot be searched for: {why}")
    if threshold.quantile is not None:
        return Demand(text, float(1 - threshold.quantile), "sent" if threshold.of == "ack" else "accepted", threshold)
    if threshold.metric in ("completed", "within"):
        return Demand(text, 1 - threshold.value, "accepted", threshold)
    of: Of = "accepted"
    if threshold.metric in _OF_SENDING:
        of = "sent"
    elif threshold.metric == "error_share":
        of = "answered"
    return Demand(text, threshold.value, of, threshold)


def _why_not(threshold: Threshold, kind: str) -> str:
    """Why no rate is the highest that keeps a threshold; empty where one is."""
    name = threshold.of or threshold.metric
    if threshold.quantile == 1:
        return _WHY_NOT["max"]
    stem = name.removesuffix("_max").removesuffix("_s")
    if why := _WHY_NOT.get(name) or _WHY_NOT.get(stem):
        return why
    if kind != "async" and (name in _ASYNC_ONLY or threshold.since == "acceptance"):
        return f"a run against a {_WORDS[kind]} endpoint has no such figure"
    is_least = threshold.metric in ("completed", "within")
    if threshold.op not in ((">", ">=") if is_least else ("<", "<=")):
        return f"it needs {'>=' if is_least else '<'}: a higher rate never makes it better"
    if threshold.quantile is None and threshold.unit != "share":
        return f"a count grows with the length of a run: write a share, such as {threshold.metric} {_like(is_least)}"
    allowed = 1 - threshold.value if is_least else threshold.value
    if threshold.quantile is None and not 0 < allowed < 1:
        return f"no run is long enough to show it: write a share such as {threshold.metric} {_like(is_least)}"
    return ""


_WORDS = {"serverless": "serverless", "realtime": "real-time"}


def _like(is_least: bool) -> str:
    return ">= 99.9%" if is_least else "< 0.1%"


def _later(age: pl.Expr, op: str, limit_s: float) -> pl.Expr:
    limit_ns = round(limit_s * 1e9)
    return age > limit_ns if op == "<=" else age >= limit_ns
