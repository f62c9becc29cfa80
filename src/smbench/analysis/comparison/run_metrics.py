"""What runs are compared by: one value of each metric a run, for the run is the unit of a comparison.

Requests of one run are no independent draws: they waited in the same queue. So a run counts once, however many
requests it has (docs/methods.md#comparison).
"""

import math
from dataclasses import dataclass
from typing import Literal

import polars as pl

from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import then
from smbench.analysis.rows.columns import is_one_of, only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.records import MAY_HAVE_COMPLETED, Outcome, Unknown

Unit = Literal["s", "hz", "requests", "instance_s", "usd", "share"]

_LEAST_SHARE = 1e-6  # a share of nothing, so that it can be multiplied


@dataclass(frozen=True, slots=True)
class RunMetric:
    """A metric of a whole run. Each is a quantity with a zero, so that a ratio means something."""

    label: str
    meaning: str
    unit: Unit
    more_is_better: bool = False


RUN_METRICS: dict[str, RunMetric] = {
    "sojourn_p50": RunMetric("sojourn p50", "from due to done, median", "s"),
    "sojourn_p90": RunMetric("sojourn p90", "from due to done, 90th percentile", "s"),
    "sojourn_p95": RunMetric("sojourn p95", "from due to done, 95th percentile", "s"),
    "sojourn_p99": RunMetric("sojourn p99", "from due to done, 99th percentile", "s"),
    "service_view_p50": RunMetric("service view p50", "from received to done, median", "s"),
    "service_view_p95": RunMetric("service view p95", "from received to done, 95th percentile", "s"),
    "first_part_p50": RunMetric("first part p50", "from due to the first part of a streamed answer, median", "s"),
    "first_part_p95": RunMetric("first part p95", "from due to the first part, 95th percentile", "s"),
    "completed_hz": RunMetric("completed rate", "completions while load was offered", "hz", more_is_better=True),
    "makespan_s": RunMetric("makespan", "from the first request due to the last end", "s"),
    "backlog_max": RunMetric("backlog peak", "the most requests accepted and not yet ended", "requests"),
    "drain_s": RunMetric("drain", "from the last send until nothing was open", "s"),
    "first_completion_s": RunMetric("first completion", "from the first request due to the first result", "s"),
    "instance_s": RunMetric("instance time", "instance-seconds paid, to the end of the run", "instance_s"),
    "misfit_share": RunMetric("misfit", "geometric mean of too few and too many, in instances and in time", "share"),
    "cost_usd": RunMetric("cost", "of the instances, at the price the scenario names", "usd"),
}


def measure(frames: Frames, summary: Summary) -> dict[str, Bounded]:
    """Every run_metric of a run that can be laid on it; those without a value are left out."""
    figures: dict[str, Bounded | Unknown | None] = {
        **{f"sojourn_{name}": summary.sojourn.percentile(name) for name in ("p50", "p90", "p95", "p99")},
        **{f"service_view_{name}": summary.service_view.percentile(name) for name in ("p50", "p95")},
        "drain_s": summary.backlog.drain,
        "makespan_s": _makespan(frames),
        "first_completion_s": _first_completion(frames),
    }
    if summary.streams is not None:
        figures |= {f"first_part_{name}": summary.streams.to_first.percentile(name) for name in ("p50", "p95")}
    if summary.measured.accepted:
        figures["backlog_max"] = summary.backlog.peak_within
    figures["completed_hz"] = then(summary.rates.completed_hz, Bounded.exactly)
    figures["misfit_share"] = _misfit(summary)
    figures["instance_s"] = then(summary.cost, lambda cost: Bounded.exactly(cost.instance_s))
    figures["cost_usd"] = then(then(summary.cost, lambda cost: cost.usd), Bounded.exactly)
    known = {name: one for name in RUN_METRICS if isinstance(one := figures.get(name), Bounded)}
    imported = frames.manifest.imported
    if imported is None or imported.has_unanswered:
        return known
    return {name: one.model_copy(update={"high": None}) if name in _OF_ALL else one for name, one in known.items()}


_OF_ALL = [name for name, metric in RUN_METRICS.items() if metric.unit in ("s", "requests")]
"""What requests that a file leaves out may only make more: latencies, backlog, time until all are over."""


def thin(summary: Summary) -> tuple[str, ...]:
    """The run_metrics that rest on fewer than ten requests above them."""
    spreads = {"sojourn": summary.sojourn, "service_view": summary.service_view}
    if summary.streams is not None:
        spreads["first_part"] = summary.streams.to_first
    parts = ((name, *name.rpartition("_")[::2]) for name in RUN_METRICS)
    return tuple(name for name, latency, which in parts if latency in spreads and spreads[latency].is_thin(which))


def _misfit(summary: Summary) -> Bounded | Unknown:
    """How badly capacity fitted the demand: the inverse of an elastic speed-up (docs/methods.md#elasticity)."""
    fit = then(summary.elasticity, lambda one: one.provisioning)
    if isinstance(fit, Unknown):
        return fit
    shares = (fit.under_share, fit.over_share, fit.under_time_share, fit.over_time_share)
    return Bounded.exactly(math.prod(max(share, _LEAST_SHARE) for share in shares) ** (1 / len(shares)))


def _makespan(frames: Frames) -> Bounded | None:
    accepted = only(frames.measured, pl.col("accepted"), "done_ns", "doubt_ns", "may_have_left")
    first_ns = _first_due_ns(frames)
    if not accepted.height or first_ns is None:
        return None
    ended = accepted.filter(pl.col("done_ns").is_not_null())
    without_end = accepted.filter(pl.col("done_ns").is_null())
    last_ns, least_ns = (
        max([first_ns, *column.tail(1)])
        for column in (ended["done_ns"].sort(), (ended["done_ns"] - ended["doubt_ns"]).sort())
    )
    if not without_end["may_have_left"].all():
        last_ns = least_ns = max(last_ns, frames.end_ns)
    return Bounded(low=(least_ns - first_ns) / 1e9, high=None if len(without_end) else (last_ns - first_ns) / 1e9)


def _first_completion(frames: Frames) -> Bounded | None:
    accepted = only(frames.measured, pl.col("accepted"), "outcome", "done_ns", "doubt_ns")
    first_ns = _first_due_ns(frames)
    if not accepted.height or first_ns is None:
        return None
    completed = accepted.filter(pl.col("outcome") == Outcome.COMPLETED.value)
    first_end_ns, least_ns = completed["done_ns"].min(), (completed["done_ns"] - completed["doubt_ns"]).min()
    if not isinstance(first_end_ns, int) or not isinstance(least_ns, int):
        is_open = accepted.select(is_one_of(MAY_HAVE_COMPLETED).any()).item() or frames.n_unsure
        return Bounded(low=max(0, frames.end_ns - first_ns) / 1e9, high=None, never=not is_open)
    return Bounded(low=max(0, least_ns - first_ns) / 1e9, high=max(0, first_end_ns - first_ns) / 1e9)


def _first_due_ns(frames: Frames) -> int | None:
    first_ns = frames.measured["sched_ns"].min()
    return first_ns if isinstance(first_ns, int) else None
