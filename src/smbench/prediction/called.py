"""One replication of a synchronous endpoint, simulated: what a caller of it sees, and what it costs.

A call that was refused, or never sent, has a latency above every value: a policy that refuses most calls answers the
others quickly, and would else look best.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smbench.analysis.capacity.price import data_usd, price
from smbench.analysis.numbers.known import then
from smbench.analysis.rows.frames import derive
from smbench.errors import UsageError
from smbench.prediction.figures import Measured, paid_s
from smbench.records import Outcome, Unknown
from smbench.results.manifest import Manifest
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import Threshold
from smbench.schedule.base import Schedule
from smbench.simulator.simulate import Simulated, simulate

_SHARES = {"completed": "accepted", "failed": "accepted", "rejected": "sent"}
_OTHERS = ("error_share", "within", "goodput")
_LATENCIES = {"sojourn": "done", "first_part": "first_part"}


@dataclass(frozen=True, slots=True)
class Called:
    """What came of one replication: USD, or instance-hours; each objective; the most calls that were open at once."""

    cost: float
    figures: list[float]
    peak: int


def require_known_of_calls(threshold: Threshold, *, in_stream: bool) -> None:
    """Refuse a threshold that a prediction of a synchronous endpoint has no figure for. Raises UsageError."""
    is_latency = threshold.of == "sojourn" or (threshold.of == "first_part" and in_stream)
    is_other = threshold.metric in (*_SHARES, *_OTHERS) and threshold.since == "schedule"
    if not is_latency and not is_other:
        raise UsageError(
            f"'{threshold.text}': a prediction of many policies of a synchronous endpoint has no {threshold.metric}",
            f"it has pNN, {', '.join((*_SHARES, *_OTHERS))}, and with request.stream first_part_pNN",
        )


def called(
    scenario: Scenario,
    base_dir: Path,
    schedule: Schedule,
    payload_classes: tuple[str, ...],
    size_bytes: tuple[int, ...],
    objectives: tuple[Threshold, ...],
    manifest: Manifest,
) -> Called:
    """Simulate a scenario's load and measure it.

    Args:
        size_bytes: Of each payload.
        manifest: Of the run that it would be, but for the scenario and the phases.

    Raises:
        UsageError: a price that the cost needs is not known.
    """
    epoch_ns = manifest.clock.epoch_ns
    made = simulate(
        scenario, base_dir, schedule, payload_classes, epoch_ns=epoch_ns, run_id="predicted", size_bytes=size_bytes
    )
    measured = Measured.of(schedule.spans)
    rows = made.requests.filter(~pl.col("warmup"))
    return Called(
        cost=_cost(scenario, schedule, manifest, made, measured),
        figures=[_figure(one, rows, measured, epoch_ns) for one in objectives],
        peak=_peak(made.requests),
    )


def _cost(scenario: Scenario, schedule: Schedule, manifest: Manifest, made: Simulated, measured: Measured) -> float:
    hours = paid_s(made.billed, made.end_ns, measured.from_ns) / 3600 if made.billed else 0.0
    if scenario.target.kind == "realtime" and scenario.target.instance_hour is None:
        return hours
    written = {"scenario": scenario.model_dump(mode="json", by_alias=True), "spans": schedule.spans}
    frames = derive(manifest.model_copy(update=written), made.requests, made.readings, made.events)
    usd: float | Unknown
    if scenario.target.kind == "realtime":
        usd = then(data_usd(frames), lambda data: hours * (scenario.target.instance_hour or 0.0) + sum(data.values()))
    else:
        usd = price(frames, Unknown("calls are paid for, not instances")).usd
    if isinstance(usd, Unknown):
        raise UsageError(f"what these calls cost is not known: {usd.reason}")
    return usd


def _figure(threshold: Threshold, rows: pl.DataFrame, measured: Measured, epoch_ns: int) -> float:
    """In the threshold's unit; NaN where nothing is measured."""
    if not rows.height:
        return math.nan
    if threshold.quantile is not None:
        latency_s = _latency_s(rows, _LATENCIES[threshold.of])
        rank = math.ceil(threshold.quantile * len(latency_s))
        return float(np.partition(latency_s, rank - 1)[rank - 1])
    if threshold.deadline_s is not None:
        n_in = int((_latency_s(rows, "done") <= threshold.deadline_s).sum())
        if threshold.metric == "within":
            return n_in / rows.height
        last_ns = rows.select(pl.max_horizontal("done", "send", "sched").dt.timestamp("ns").max()).item()
        return measured.per_second(n_in, last_ns - epoch_ns)
    n = {outcome: int((rows["outcome"] == outcome).sum()) for outcome in Outcome}
    n_accepted = int(rows["accepted"].sum())
    n_answered = n_accepted + n[Outcome.REJECTED]
    if threshold.metric == "error_share":
        return (n_answered - n[Outcome.COMPLETED]) / n_answered if n_answered else math.nan
    if threshold.unit != "share":
        return float(n[Outcome(threshold.metric)])
    whole = n_accepted if _SHARES[threshold.metric] == "accepted" else n_answered
    return n[Outcome(threshold.metric)] / whole if whole else math.nan


def _latency_s(rows: pl.DataFrame, until: str) -> NDArray[np.float64]:
    """From due until then, of the completed; infinite of all others."""
    took = (pl.col(until) - pl.col("sched")).dt.total_nanoseconds() / 1e9
    is_done = pl.col("outcome") == Outcome.COMPLETED.value
    return rows.select(pl.when(is_done).then(took).fill_null(math.inf)).to_series().to_numpy()


def _peak(requests: pl.DataFrame) -> int:
    """A call that ended at the instant at which another begins is over by then."""
    sent = requests.filter(pl.col("send").is_not_null() & pl.col("ack").is_not_null())
    begun, over = (np.sort(sent[name].dt.timestamp("ns").to_numpy()) for name in ("send", "ack"))
    return int((np.arange(1, len(begun) + 1) - np.searchsorted(over, begun, side="right")).max(initial=0))
