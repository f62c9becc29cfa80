"""The figures of one cell: latency, throughput, errors by class and cost, from the files of its run."""

from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.price import length_s, price
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.analysis.verdict.thresholds import ThresholdResult
from smbench.findings import Verdict
from smbench.records import Ending, Outcome, Unknown, is_throttle
from smbench.sweeping.benchmarks import COLD, WARM

ENDED_EARLY = "ended early"
_N_STEPS = 100  # of the distribution that is kept of a cell
_DAY_S = 86_400.0


class Throughput(BaseModel):
    """Completions in each whole second of the run's time; `mean`: all of them by the time to the last one."""

    model_config = ConfigDict(frozen=True)

    mean: float
    p25: float
    p50: float
    p75: float
    max: float


class ColdCalls(BaseModel):
    """Calls after idle times, beside those to a warm environment; medians in seconds."""

    model_config = ConfigDict(frozen=True)

    n: int
    cold_s: float
    warm_s: float


class Figures(BaseModel):
    """What a cell showed.

    Args:
        verdict: Of the run's checks: valid, unknown or invalid.
        part: Of its load that the run sent, where it ended before the load did; empty: all of it.
        mean_s: Latency of the completed requests alone.
        has_failed: The run could not go on to its end.
        kept: All thresholds were met; None: one is not known, or there is none, or the run is invalid.
        errors: How many by class: throttle, server, refused, memory, container, unanswered, or the outcome's own name.
        usd: None where no price is known, and `usd_why` says why.
        usd_day: At the mean rate of the run.
        instance_type: Of a real endpoint, with its instances when the run began; empty: not known, or it has none.
        spread_s: Latency of the completed at each per cent of them, from the least to the longest; empty: none.
        model_latency_s: The mean of CloudWatch's minutes of ModelLatency, as CPUUtilization and MemoryUtilization are
            of theirs, both as shares; None: it has none.
    """

    model_config = ConfigDict(frozen=True)

    verdict: str
    kept: bool | None
    missed: tuple[str, ...]
    n: int
    completed: int
    p50: Bounded | None
    p95: Bounded | None
    p99: Bounded | None
    iqr_s: float | None
    mean_s: float | None
    throughput: Throughput | None
    errors: dict[str, int]
    usd: float | None
    usd_why: str
    usd_per_1000: float | None
    usd_day: float | None
    data_usd_per_1000: float = 0.0
    spread_s: tuple[float, ...] = ()
    cold: ColdCalls | None = None
    instance_type: str = ""
    instances: int | None = None
    model_latency_s: float | None = None
    cpu: float | None = None
    memory: float | None = None
    part: str = ""
    has_failed: bool = False

    @property
    def why_unfit(self) -> str:
        """Why no figure of the run is one to choose by, in two words; empty: they are."""
        if self.verdict == Verdict.INVALID:
            return "invalid run"
        return ENDED_EARLY if self.part or self.has_failed else ""


def figures_of(
    frames: Frames,
    summary: Summary,
    verdict: str,
    judged: tuple[ThresholdResult, ...],
) -> Figures:
    """The figures of a run that was read."""
    completed_s = _completed_s(frames.measured)
    priced = price(frames, summary.cost)
    usd = priced.usd
    amount = None if isinstance(usd, Unknown) else usd
    n_completed, span_s = summary.measured.completed, length_s(frames)
    met = [] if verdict == Verdict.INVALID else [one.passed for one in judged]  # it says nothing of the endpoint
    return Figures(
        verdict=verdict,
        kept=None if not met else False if False in met else None if None in met else True,
        missed=tuple(one.text for one in judged if one.passed is False and met),
        n=summary.measured.scheduled,
        completed=n_completed,
        p50=summary.sojourn.p50,
        p95=summary.sojourn.p95,
        p99=summary.sojourn.p99,
        iqr_s=_quantile(completed_s, 0.75) - _quantile(completed_s, 0.25) if len(completed_s) else None,
        mean_s=float(ascending(completed_s).mean()) if len(completed_s) else None,
        spread_s=_spread_s(completed_s),
        throughput=_throughput(frames.measured),
        errors=errors_by_class(frames.measured),
        usd=amount,
        usd_why=usd.reason if isinstance(usd, Unknown) else "",
        usd_per_1000=1000 * amount / n_completed if amount is not None and n_completed else None,
        data_usd_per_1000=1000 * priced.data_usd_per_inference,
        usd_day=amount / span_s * _DAY_S if amount is not None and span_s else None,
        cold=_cold(frames.measured),
        instance_type=str(frames.manifest.target.get("instance_type") or ""),
        instances=frames.manifest.target.get("instances_current"),
        model_latency_s=_metric(frames, "ModelLatency", 1e-6),
        cpu=_metric(frames, "CPUUtilization", 1e-2),
        memory=_metric(frames, "MemoryUtilization", 1e-2),
        part=f"{summary.measured.sent:,} of {summary.measured.scheduled:,} requests were sent"
        if frames.n_cut_short
        else "",
        has_failed=summary.ending not in (Ending.FINISHED, Ending.STOPPED),
    )


def _metric(frames: Frames, name: str, unit: float) -> float | None:
    is_it = (pl.col("source") == "cloudwatch") & (pl.col("name") == name) & (pl.col("stat") == "average")
    mean = frames.readings.filter(is_it & (pl.col("at_ns") >= 0))["value"].mean()
    return mean * unit if isinstance(mean, float) else None


def errors_by_class(requests: pl.DataFrame) -> dict[str, int]:
    """How many requests did not complete, by class; every outcome but completion and not being sent is in one."""
    kept_out = (Outcome.COMPLETED.value, Outcome.NOT_SENT.value)
    outcome = pl.col("outcome").cast(pl.String)
    met = requests.filter(~outcome.is_in(kept_out)).group_by(outcome, "error", "status_code").agg(pl.len())
    found: dict[str, int] = {}
    for ended, error, status, n in met.iter_rows():
        name = _class_of(ended, error or "", status or 0)
        found[name] = found.get(name, 0) + n
    return dict(sorted(found.items()))


def _class_of(outcome: str, error: str, status: int) -> str:
    if outcome == Outcome.REJECTED.value:
        return "throttle" if is_throttle(error) else "server" if status >= 500 else "refused"
    if outcome == Outcome.FAILED.value:
        return "memory" if "memory" in error.lower() else "container"
    return "unanswered" if outcome == Outcome.TRANSPORT_ERROR.value else outcome


def row_of(figures: Figures) -> dict[str, Any]:
    """As columns of `sweep.parquet`; what is not a number is null."""
    throughput = figures.throughput
    bounded = {name: getattr(figures, name) for name in ("p50", "p95", "p99")}
    return {
        "verdict": figures.verdict,
        "part": figures.part,
        "kept": figures.kept,
        "missed": "; ".join(figures.missed),
        "n": figures.n,
        "completed": figures.completed,
        **{f"{name}_s": None if one is None else one.value for name, one in bounded.items()},
        **{f"{name}_at_least_s": None if one is None else one.low for name, one in bounded.items()},
        "iqr_s": figures.iqr_s,
        "mean_s": figures.mean_s,
        **{f"per_second_{name}": getattr(throughput, name, None) for name in Throughput.model_fields},
        "errors": sum(figures.errors.values()),
        "errors_by_class": "; ".join(f"{name} {n}" for name, n in figures.errors.items()),
        "usd": figures.usd,
        "usd_unknown": figures.usd_why,
        "usd_per_1000": figures.usd_per_1000,
        "usd_day": figures.usd_day,
        "cold_s": None if figures.cold is None else figures.cold.cold_s,
        "warm_s": None if figures.cold is None else figures.cold.warm_s,
    }


def _completed_s(requests: pl.DataFrame) -> Any:
    return requests["sojourn_ns"].drop_nulls().to_numpy() / 1e9


def _throughput(requests: pl.DataFrame) -> Throughput | None:
    ends = requests.filter(pl.col("outcome") == Outcome.COMPLETED.value)["done_ns"].drop_nulls()
    first_ns = requests["sched_ns"].min()
    if not len(ends) or not isinstance(first_ns, int):
        return None
    seconds = ends.to_numpy() // 1_000_000_000
    counts = np.bincount((seconds - seconds.min()).astype(np.int64))
    p25, p50, p75 = (_quantile(counts, share) for share in (0.25, 0.5, 0.75))
    took_s = (int(ends.to_numpy().max()) - first_ns) / 1e9
    mean = len(ends) / took_s if took_s > 0 else float(counts.max())
    return Throughput(mean=mean, p25=p25, p50=p50, p75=p75, max=float(counts.max()))


def _cold(requests: pl.DataFrame) -> ColdCalls | None:
    of = {name: _completed_s(requests.filter(pl.col("phase") == name)) for name in (COLD, WARM)}
    if not all(map(len, of.values())):
        return None
    return ColdCalls(n=len(of[COLD]), cold_s=_quantile(of[COLD], 0.5), warm_s=_quantile(of[WARM], 0.5))


def _spread_s(completed_s: Any) -> tuple[float, ...]:
    if not len(completed_s):
        return ()
    shares = np.linspace(0, 1, _N_STEPS + 1)
    return tuple(np.quantile(completed_s, shares, method="inverted_cdf").tolist())


def _quantile(values: Any, share: float) -> float:
    """By the inverse ECDF, as every percentile of a run: one of the values, never between two of them."""
    return float(np.quantile(values, share, method="inverted_cdf"))
