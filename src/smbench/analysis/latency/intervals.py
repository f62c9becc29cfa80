"""How far a run's percentiles may be from the endpoint's own: an interval where one can be had, else why none.

Waiting times of neighbours are alike: a request that waits finds a queue, and so does the next. An interval that takes
them as independent is far too narrow, and covers the truth one time in six where it claims nineteen in twenty. So one
run has an interval only in a phase of steady load, and there

- from order statistics, where the first ten autocorrelations of the latencies are those of independent ones;
- else from ten batches in order of schedule, where each is twenty times as long as the latencies remember;
- else none, and the reason says how few independent requests the run is worth.

A burst or a ramp has none whatever its length: its percentiles are of that one course, and only more runs tell how
another would go. Source: docs/methods.md#intervals.
"""

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema, computed_field

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.numbers.bounds import P999_FROM, PERCENTILES
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown
from smbench.schedule.base import PhaseSpan

Values = npt.NDArray[np.float64]

N_BATCHES = 10
MEMORIES_MIN = 20  # lengths of memory in a batch
LAGS = 10
BEYOND_MIN = 20  # independent requests above it; with ten, p99 of M/M/1 at 0.5 covered four times in five
_STUDENT_9 = 2.2621571628  # two-sided 95 %, nine degrees of freedom
_WINDOW = 5  # the memory is summed over this many times itself (Sokal's window)
_SHARES = {name: share for name, share in PERCENTILES.items() if name != "max"}
_STEADY = ("constant", "poisson", "closed")


class Interval(BaseModel):
    """A 95 % interval of a percentile. `high_s` None: nothing is known above `low_s`."""

    model_config = ConfigDict(frozen=True)

    low_s: float
    high_s: float | None
    method: str

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def reason(self) -> str:
        """For JSON, where an interval that is not estimable has the same fields: it has one of these."""
        return ""


NotEstimable = Annotated[
    Unknown,
    PlainSerializer(
        lambda one: {"low_s": None, "high_s": None, "method": "", "reason": one.reason},
        return_type=dict[str, str | None],
    ),
    WithJsonSchema(
        {
            "type": "object",
            "title": "NotEstimable",
            "properties": {
                **{name: {"type": "null"} for name in ("low_s", "high_s")},
                **{name: {"type": "string"} for name in ("method", "reason")},
            },
            "required": ["low_s", "high_s", "method", "reason"],
        },
        mode="serialization",
    ),
]
"""In JSON an interval that is not estimable has the fields of one that is, and its reason."""

Intervals = dict[str, Interval | NotEstimable]
"""By the name of the percentile."""


def intervals(frames: Frames, capacity: Capacity | Unknown) -> Intervals:
    """Of each percentile of the latency from schedule; empty when nothing was accepted."""
    rows = frames.measured.filter("accepted")
    names = [name for name in _SHARES if name != "p999" or rows.height >= P999_FROM]
    if not rows.height:
        return {}
    if why := _not_steady(frames, capacity):
        return dict.fromkeys(names, Unknown(f"not estimable: {why}"))
    # Not by id: a percentile's interval may not depend on how requests are called.
    rows = rows.sort("sched_ns", "send_ns", "age_ns")
    age_s = rows["age_ns"].to_numpy() / 1e9
    never_over_s = np.where((rows["outcome"] == Outcome.COMPLETED.value).to_numpy(), age_s, np.inf)
    return of_series(age_s, never_over_s, names)


def of_series(least_s: Values, most_s: Values, names: list[str]) -> Intervals:
    """Of a series in order of schedule.

    Args:
        least_s: What each latency is at least.
        most_s: And at most; infinite where it is not known, or never over.
        names: Of `bounds.PERCENTILES`.
    """
    n = len(least_s)
    if (memory := _independent(least_s)) is None:
        ordered = ascending(least_s), np.sort(most_s)
        return {name: _of_order(*ordered, _SHARES[name]) for name in names}
    length = n // N_BATCHES
    if length < MEMORIES_MIN * memory:
        why = f"not estimable (N_eff = {n / memory:,.0f}): {n:,} requests, each like some {memory:,.0f} around it"
        return dict.fromkeys(names, Unknown(why))
    return {name: _of_batches(least_s, most_s, _SHARES[name], n / memory) for name in names}


def _not_steady(frames: Frames, capacity: Capacity | Unknown) -> str:
    """Why a run's load or capacity changed by design; empty where it did not."""
    spans = [span for span in frames.spans if span.n and not span.warmup]
    if not spans:
        return "which phases there were is not known"
    (phase, *others) = spans
    if phase.kind not in _STEADY or others:
        kinds = ", ".join(dict.fromkeys(span.kind for span in spans))
        return f"the load changes by design ({kinds}): repeat the run, and compare runs"
    if not isinstance(capacity, Unknown) and _changed_amid(phase, capacity, frames.end_ns):
        return "the number of instances changed under way: repeat the run, and compare runs"
    return ""


def _changed_amid(phase: PhaseSpan, capacity: Capacity, end_ns: int) -> bool:
    until_ns = end_ns if phase.end_ns is None else phase.end_ns
    served = capacity.serving_at(np.array([phase.start_ns]))[0]
    return not served or capacity.changed_within(phase.start_ns, until_ns)


def _independent(values: Values) -> float | None:
    """None where the first lags are those of independent values; else the memory, in values, rather too long.

    Where it is taken too short by chance an interval is given that is too narrow: of the runs with one, too many would
    miss. So twice the estimate's own standard error is added.
    """
    lags = _autocorrelation(values)
    if np.all(np.abs(lags[1 : LAGS + 1]) <= 2 / math.sqrt(len(values))):
        return None
    # Summed until the sum's own length is a fifth of the lags summed: beyond, there is only noise to add.
    memory = 1 + 2 * np.cumsum(lags[1:])
    enough = np.flatnonzero(np.arange(1, len(lags)) >= _WINDOW * memory)
    if not len(enough):
        return float(len(values))
    n_lags, estimate = int(enough[0]) + 1, float(memory[enough[0]])
    return max(1.0, estimate * (1 + 2 * math.sqrt(2 * (2 * n_lags + 1) / len(values))))


def _autocorrelation(values: Values) -> Values:
    """At every lag, by the Wiener-Khinchin theorem; zeros where all values are one."""
    n = len(values)
    centred = values - values.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum * spectrum.conj(), size)[:n]
    correlations: Values = products / products[0] if products[0] > 0 else np.zeros(n)
    return correlations


def _of_order(least_s: Values, most_s: Values, share: float) -> Interval | Unknown:
    """Between two ranks that a binomial count lies between. Both arrays ascending."""
    n = len(least_s)
    low, high = _binomial_quantile(n, share, 0.025), _binomial_quantile(n, share, 0.975) + 1
    if low < 1 or high > n:
        need = math.ceil(math.log(0.025) / math.log(max(share, 1 - share)))
        return Unknown(f"not estimable: {n:,} requests, and it takes {need:,}")
    top = float(most_s[high - 1])
    return Interval(
        low_s=float(least_s[low - 1]), high_s=top if math.isfinite(top) else None, method="order statistics"
    )


def _binomial_quantile(n: int, share: float, probability: float) -> int:
    """The least k with P(X <= k) >= probability, X binomial: summed from far below, where nothing is."""
    spread = 8 * math.sqrt(n * share * (1 - share)) + 8
    k = max(0, math.floor(n * share - spread))
    odds = math.log(share) - math.log1p(-share)
    log_p = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    log_p += k * math.log(share) + (n - k) * math.log1p(-share)
    total = math.exp(log_p)
    while total < probability and k < n:
        log_p += math.log(n - k) - math.log(k + 1) + odds
        k += 1
        total += math.exp(log_p)
    return k


def _of_batches(least_s: Values, most_s: Values, share: float, n_eff: float) -> Interval | Unknown:
    """Student's t on the percentile of ten batches, around that of the whole (sectioning: it removes their bias)."""
    if n_eff * (1 - share) < BEYOND_MIN - 1e-9:  # else its batches are too much alike, and the interval too narrow
        return Unknown(
            f"not estimable (N_eff = {n_eff:,.0f}): fewer than {BEYOND_MIN} independent requests lie above it"
        )
    whole, whole_most = _percentile(least_s, share), _percentile(most_s, share)
    batches, batches_most = np.array_split(least_s, N_BATCHES), np.array_split(most_s, N_BATCHES)
    of_each = np.array([_percentile(batch, share) for batch in batches])
    of_each_most = np.array([_percentile(batch, share) for batch in batches_most])
    if whole != whole_most or not np.array_equal(of_each, of_each_most):
        return Unknown("not estimable: it falls on requests that never completed")
    half_s = _STUDENT_9 * math.sqrt(float(np.sum((of_each - whole) ** 2)) / (N_BATCHES - 1) / N_BATCHES)
    return Interval(low_s=max(0.0, whole - half_s), high_s=whole + half_s, method=f"{N_BATCHES} batches")


def _percentile(values: Values, share: float) -> float:
    return float(np.quantile(values, share, method="inverted_cdf"))
