"""How a run went, in a few hundred stretches of time: what pictures are drawn from, whatever the run's size.

Stretches are equal and of a round length, so that a rate is a count that a reader can check. Percentiles follow the
rule of `bounds`: a request without an end is longer than its age, one that failed never completes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.backlog import Backlog
from smbench.analysis.rows.columns import MAY_BE_ACCEPTED, only
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome

STRETCHES_MAX = 240
POINTS_MAX = 400  # requests that are drawn one by one; more are drawn as percentiles of their stretch
PERCENTILES_DRAWN = 120
COMPLETED, OPEN, NOT_COMPLETED = "completed", "no end yet", "failed or expired"  # the ends that are drawn apart

_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)
_NEAR = 50  # times as long after the first as before it
_NEVER_NS = 1 << 62  # longer than any run


@dataclass(frozen=True, slots=True)
class Stretches:
    """Equal stretches of time from `start_ns`; the last may reach beyond what they were made for."""

    start_ns: int
    length_ns: int
    n: int

    @property
    def length_s(self) -> float:
        """The length of each stretch, seconds."""
        return self.length_ns / 1e9

    def of(self, instant: str) -> pl.Expr:
        """The number of the stretch in which an instant lies; the outermost take what lies beyond them."""
        return ((pl.col(instant) - self.start_ns) // self.length_ns).clip(0, self.n - 1)

    def starts_s(self) -> npt.NDArray[np.float64]:
        """Where each stretch begins, seconds of the run, ascending."""
        starts: npt.NDArray[np.float64] = (self.start_ns + np.arange(self.n) * self.length_ns) / 1e9
        return starts


def stretches(start_ns: int, end_ns: int, n_max: int = STRETCHES_MAX) -> Stretches:
    """As many of a round length as cover all from `start_ns` to `end_ns`, at most `n_max`."""
    least_ns = max(1, -(-(end_ns - start_ns) // n_max))
    length_ns = _round_length_ns(least_ns)
    return Stretches(start_ns, length_ns, max(1, -(-(end_ns - start_ns) // length_ns)))


def _round_length_ns(least_ns: int) -> int:
    below_a_second = (figure * 10**power for power in range(3, 9) for figure in (1, 2, 5))
    lengths = (*below_a_second, *(seconds * 10**9 for seconds in _ROUND_S))
    return next((length for length in lengths if length >= least_ns), least_ns)


def sending(frames: Frames) -> tuple[int, int]:
    """From the first instant at which a request was due or sent to the last; from zero where the first is near it."""
    instants = [frames.requests[name] for name in ("sched_ns", "send_ns")]
    known = [bound for one in instants for bound in (one.min(), one.max()) if isinstance(bound, int)]
    start_ns, end_ns = min(known, default=0), max(known, default=0)
    return (0 if 0 < _NEAR * start_ns < end_ns else start_ns), end_ns


def counts(rows: pl.DataFrame, instant: str, over: Stretches) -> npt.NDArray[np.int64]:
    """How many of these instants lie in each stretch; nulls in none."""
    met = rows.select(over.of(instant).alias("stretch")).drop_nulls().group_by("stretch").len()
    found = np.zeros(over.n, dtype=np.int64)
    found[met["stretch"].to_numpy()] = met["len"].to_numpy()
    return found


@dataclass(frozen=True, slots=True)
class Age:
    """Which duration is looked at, and the column of its ages."""

    name: str
    column: str


FROM_SCHEDULE = Age("from schedule", "age_ns")
FROM_SEND = Age("from send", "from_send_age_ns")
FROM_ACCEPTANCE = Age("from acceptance", "service_age_ns")


def percentiles_over_time(frames: Frames, age: Age, over: Stretches, shares: tuple[float, ...]) -> pl.DataFrame:
    """By when a request was due, warm-ups left out: one row a stretch in which any has a latency, and share.

    Returns:
        `at_s` (its middle), `share`, `n`, `value_s`, `is_bound` (the value is more than that).
    """
    rows = _bounded(frames.measured, age).with_columns(over.of("sched_ns").alias("stretch"))
    found = [
        rows.group_by("stretch")
        .agg(
            pl.len().alias("n"),
            pl.col("low").quantile(share, "equiprobable").alias("low"),
            pl.col("high").quantile(share, "equiprobable").alias("high"),
            pl.col("age").max().alias("longest"),
        )
        .with_columns(pl.lit(share).alias("share"))
        for share in shares
    ]
    return (
        pl.concat(found)
        .with_columns(
            pl.min_horizontal("low", "longest").alias("value"),
            (pl.col("high") == _NEVER_NS).alias("is_bound"),
        )
        .select(
            ((pl.col("stretch") + 0.5) * over.length_s + over.start_ns / 1e9).alias("at_s"),
            "share",
            "n",
            (pl.col("value") / 1e9).alias("value_s"),
            "is_bound",
        )
        .sort("share", "at_s")
    )


def points(frames: Frames) -> pl.DataFrame:
    """Every request outside warm-ups that has a latency by itself: `at_s`, `value_s`, and how it `ended`."""
    end = (
        pl.when(pl.col("outcome") == Outcome.COMPLETED.value)
        .then(pl.lit(COMPLETED))
        .when("is_unsettled")
        .then(pl.lit(OPEN))
        .otherwise(pl.lit(NOT_COMPLETED))
    )
    at_s, value_s = (pl.col("sched_ns") / 1e9).alias("at_s"), (pl.col("age_ns") / 1e9).alias("value_s")
    rows = only(frames.measured, MAY_BE_ACCEPTED, at_s, value_s, end.alias("ended"))
    return rows.sort("at_s", "value_s", "ended")


def percentile_curve(frames: Frames, age: Age) -> pl.DataFrame:
    """The percentiles of all latencies outside warm-ups, denser towards the tail.

    Returns:
        `share`, `value_s`, `is_bound`: from there on it is only known to be more; the curve ends with the first such.
    """
    rows = _bounded(frames.measured, age)
    n = rows.height
    if not n:
        return pl.DataFrame(schema={"share": pl.Float64, "value_s": pl.Float64, "is_bound": pl.Boolean})
    high = ascending(rows["high"].to_numpy())
    is_open = rows["low"] != rows["high"]
    low = ascending(rows["low"].to_numpy()) if is_open.any() else high
    # Evenly on the scale on which they are drawn, -log10(1 - share), up to the percentile that one request is above.
    shares = 1 - np.logspace(0, -np.log10(max(n, 2)), PERCENTILES_DRAWN)
    ranks = np.unique(np.floor(shares * n + 1e-9).astype(np.int64).clip(0, n - 1)) + 1
    is_bound = high[ranks - 1] == _NEVER_NS
    n_drawn = int(np.argmax(is_bound)) + 1 if is_bound.any() else len(ranks)
    ranks, is_bound = ranks[:n_drawn], is_bound[:n_drawn]
    longest_ns = rows["age"].to_numpy().max()
    value_s = np.minimum(low[ranks - 1], longest_ns) / 1e9
    return pl.DataFrame({"share": (ranks - 1) / n, "value_s": value_s, "is_bound": is_bound})


def _bounded(requests: pl.DataFrame, age: Age) -> pl.DataFrame:
    """Of requests with a latency: when due, how long at least (`low`) and at most (`high`), how long seen (`age`)."""
    is_completed = pl.col("outcome") == Outcome.COMPLETED.value
    columns = ("sched_ns", "outcome", "is_unsettled", pl.col(age.column).alias("age"))
    rows = only(requests, MAY_BE_ACCEPTED, *columns).drop_nulls("age")
    return rows.with_columns(
        pl.when(is_completed | pl.col("is_unsettled")).then("age").otherwise(_NEVER_NS).alias("low"),
        pl.when(is_completed).then("age").otherwise(_NEVER_NS).alias("high"),
    )


def lag_over_time(frames: Frames, over: Stretches) -> pl.DataFrame:
    """How late requests were sent, warm-ups included: `at_s`, `median_s` and `max_s` of each stretch with any."""
    rows = only(frames.requests, pl.col("schedule_lag_ns").is_not_null(), "sched_ns", "schedule_lag_ns")
    return (
        rows.group_by(over.of("sched_ns").alias("stretch"))
        .agg(
            pl.col("schedule_lag_ns").quantile(0.5, "equiprobable").alias("median"),
            pl.col("schedule_lag_ns").max().alias("max"),
        )
        .select(
            ((pl.col("stretch") + 0.5) * over.length_s + over.start_ns / 1e9).alias("at_s"),
            (pl.col("median") / 1e9).alias("median_s"),
            (pl.col("max") / 1e9).alias("max_s"),
        )
        .sort("at_s")
    )


def clock_over_time(frames: Frames, over: Stretches) -> pl.DataFrame:
    """How far AWS's clock was ahead of ours, in each stretch: `at_s`, `offset_s`, `error_s` (either side), `n`.

    AWS took a request between send and ack, so its stamp less the middle is the offset, known to half of that time.
    """
    acknowledging = pl.col("ack_ns") - pl.col("send_ns")
    rows = only(
        frames.requests,
        pl.col("accepted")
        & (pl.col("attempts") == 1)
        & pl.col("status_code").is_not_null()
        & pl.col("recv_ns").is_not_null(),
        "send_ns",
        (frames.clocks.aws("recv_ns") - pl.col("send_ns") - acknowledging / 2).alias("offset"),
        acknowledging.alias("acknowledging"),
    )
    return (
        rows.group_by(over.of("send_ns").alias("stretch"))
        .agg(pl.col("offset").median(), pl.col("acknowledging").median(), pl.len().alias("n"))
        .select(
            ((pl.col("stretch") + 0.5) * over.length_s + over.start_ns / 1e9).alias("at_s"),
            (pl.col("offset") / 1e9).alias("offset_s"),
            # A stamp is whole milliseconds: nothing is known better than that.
            pl.max_horizontal(pl.col("acknowledging") / 2e9, pl.lit(0.001)).alias("error_s"),
            "n",
        )
        .sort("at_s")
    )


def highest(curve: Backlog, over: Stretches) -> npt.NDArray[np.int64]:
    """The most there was in each stretch, what was there at its begin included."""
    starts_ns = over.start_ns + np.arange(over.n) * over.length_ns
    if not len(curve.at_ns):
        return np.zeros(over.n, dtype=np.int64)
    first = np.searchsorted(curve.at_ns, starts_ns, side="right")
    found = np.where(first > 0, curve.backlog[np.maximum(first - 1, 0)], 0)
    inside = np.clip((curve.at_ns - over.start_ns) // over.length_ns, 0, over.n - 1)
    np.maximum.at(found, inside, curve.backlog)
    return found


def unserved_share(frames: Frames, capacity: Capacity) -> float | None:
    """Of all time that accepted requests outside warm-ups spent in the system, that while no instance served.

    None when they spent none.
    """
    rows = only(
        frames.measured,
        pl.col("accepted"),
        pl.coalesce("recv_ns", "send_ns").alias("arrived_ns"),
        pl.coalesce("done_ns", pl.lit(frames.end_ns)).alias("left_ns"),
    )
    if capacity.serving.all():
        return 0.0
    knots_ns = np.append(capacity.at_ns, max(capacity.end_ns, frames.end_ns)).astype(np.float64)
    unserved_ns = np.concatenate([[0.0], np.cumsum((capacity.serving == 0) * np.diff(knots_ns))])
    arrived_ns, left_ns = (ascending(rows[name].to_numpy()) for name in ("arrived_ns", "left_ns"))
    stayed_ns = float((left_ns - arrived_ns).sum())
    if stayed_ns <= 0:
        return None
    without_ns = np.interp(left_ns, knots_ns, unserved_ns).sum() - np.interp(arrived_ns, knots_ns, unserved_ns).sum()
    return min(1.0, max(0.0, float(without_ns) / stayed_ns))
