"""How far a run's percentiles may be from the endpoint's own: an interval where one can be had, else why none.

Latencies of neighbours in a queue are alike: a request that waits finds a queue, and so does the next. So n requests
are worth fewer independent ones, and an interval lies between those order statistics that as many independent requests
would give. How many they are worth is estimated from two sides, each counted by how well it knows: from batches of the
run in order of schedule, and from the queue that such slots, so busy, have (`numbers.congestion`), because a run that
is short against the queue's memory cannot show how long that memory is. Where the batches vary more than such a queue's
could by chance, they alone count. A run has no interval where

- the load or the number of instances changed: its percentiles are of that one course, and only more runs show how
  another would go;
- it is shorter than 25 times the queue's memory, or too few independent requests lie above a percentile;
- it is not known how many slots there were, and it is too short to show the memory by itself.

Source: docs/methods.md#intervals.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema, computed_field

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.numbers import student
from smbench.analysis.numbers.autocorrelation import autocorrelation
from smbench.analysis.numbers.bounds import P999_FROM, PERCENTILES
from smbench.analysis.numbers.congestion import UTILISATION_MAX, Congestion, found_inside
from smbench.analysis.numbers.ordered import ascending
from smbench.analysis.rows.columns import MAY_BE_ACCEPTED, only
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown
from smbench.schedule.base import PhaseSpan
from smbench.units import counted

Values = npt.NDArray[np.float64]

N_BATCHES_MIN = 5
N_BATCHES_MAX = 20
MEMORIES_MIN = 5  # lengths of the queue's memory in a batch
BEYOND_MIN = 8  # independent requests above a percentile, and below it
CONFIDENCE = 0.95
_MEMORY_ERRORS = 1.0  # standard errors added to the utilisation before the run's length is judged
_WORTH_ERRORS = 0.5  # and before it is taken what the requests are worth: of short runs, the less busy have an interval
_DEGREES_KNOWN = 20  # degrees of freedom at most, that what is known beside the batches counts: formulas approximate
_CONTRADICTED = 1.645  # of the normal law: batches of the queue that is supposed vary so much once in twenty times
_WINDOW = 5  # the memory is summed over this many times itself (Sokal's window)
ALONE_MIN = 5_000  # requests, where the latencies alone must show the queue's memory
_SHARES = {name: share for name, share in PERCENTILES.items() if name != "max"}
_STEADY = ("constant", "poisson", "closed")


@dataclass(frozen=True, slots=True)
class Inflation:
    """By how much the variance of the share of latencies below a quantile exceeds that of independent ones.

    Args:
        degrees: Of freedom, that the value is worth as an estimate; None: it is no estimate, but the least it can be.
        raised: At one standard error more, to judge whether the run is long enough.
    """

    value: float
    degrees: float | None
    raised: float

    @classmethod
    def at_least(cls, value: float) -> "Inflation":
        """Where only a least value is known."""
        return cls(value, None, value)


class Interval(BaseModel):
    """A 95 % interval of a percentile. `high_s` None: nothing is known above `low_s`."""

    model_config = ConfigDict(frozen=True)

    low_s: float
    high_s: float | None
    method: str
    n_eff: float  # independent requests that those of the run are worth, for this percentile

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def reason(self) -> str:
        """For JSON, where an interval that is not estimable has the same fields: it has one of these."""
        return ""


NotEstimable = Annotated[
    Unknown,
    PlainSerializer(
        lambda one: {"low_s": None, "high_s": None, "method": "", "n_eff": None, "reason": one.reason},
        return_type=dict[str, str | None],
    ),
    WithJsonSchema(
        {
            "type": "object",
            "title": "NotEstimable",
            "properties": {
                **{name: {"type": "null"} for name in ("low_s", "high_s", "n_eff")},
                **{name: {"type": "string"} for name in ("method", "reason")},
            },
            "required": ["low_s", "high_s", "method", "n_eff", "reason"],
        },
        mode="serialization",
    ),
]
"""In JSON an interval that is not estimable has the fields of one that is, and its reason."""

Intervals = dict[str, Interval | NotEstimable]
"""By the name of the percentile."""


_USED = ("sched_ns", "send_ns", "recv_ns", "age_ns", "done_ns", "doubt_ns", "accepted")


def intervals(
    frames: Frames, capacity: Capacity | Unknown, n_at_once: int | Unknown, latency: str = "sojourn_ns"
) -> Intervals:
    """Of each percentile of a latency from schedule; empty when nothing can have been accepted.

    Args:
        frames: Of the run.
        capacity: Its instances.
        n_at_once: Requests that an instance takes at once.
        latency: Its column, null where it is not over.
    """
    rows = only(frames.measured, MAY_BE_ACCEPTED, *dict.fromkeys((*_USED, latency)))
    names = [name for name in _SHARES if name != "p999" or rows.height >= P999_FROM]
    if not rows.height:
        return {}
    if why := _not_steady(frames, capacity):
        return dict.fromkeys(names, Unknown(f"not estimable: {why}"))
    # Not by id: a percentile's interval may not depend on how requests are called.
    rows = rows.sort("sched_ns", "send_ns", "age_ns")
    age_s = rows["age_ns"].to_numpy() / 1e9
    is_over, known_ns = rows[latency].is_not_null().to_numpy(), rows[latency].fill_null(rows["age_ns"])
    least_s = (known_ns - rows["doubt_ns"]).to_numpy().clip(0) / 1e9
    never_over_s = np.where(is_over, known_ns.to_numpy() / 1e9, np.inf)
    # A call that was given up left its slot then, as far as anybody can know; of another the end is yet to come.
    is_at_work = (rows["done_ns"].is_null() & rows["accepted"]).to_numpy()
    ended_s = np.where(is_at_work, np.inf, rows["sched_ns"].to_numpy() / 1e9 + age_s)
    (phase,) = _measured_spans(frames)
    if phase.outstanding is not None:
        # A closed loop's requests are released by ends: no queue grows, and a round of them is what resembles another.
        return of_series(least_s, never_over_s, names, float(phase.outstanding), _as_independent)
    # On its way to the endpoint a request is late, and takes no slot.
    arrived_s = rows.select(pl.coalesce("recv_ns", "send_ns", "sched_ns")).to_series().to_numpy() / 1e9
    takes_s = (ended_s - arrived_s).clip(0)
    order = np.argsort(arrived_s, kind="stable")
    n_slots = _n_slots(phase, capacity, n_at_once)
    return of_arrivals(arrived_s[order], takes_s[order], (least_s, never_over_s), names, n_slots)


def of_arrivals(
    arrived_s: Values, takes_s: Values, latencies_s: tuple[Values, Values], names: list[str], n_slots: int | Unknown
) -> Intervals:
    """Of an open load on slots whose number does not change.

    Args:
        arrived_s: Instants at which the endpoint took a request, ascending.
        takes_s: From arrival to end; infinite where there is none.
        latencies_s: What each latency is at least and at most, in order of schedule; see `of_series`.
        names: Of `bounds.PERCENTILES`.
        n_slots: Where it is unknown a long run must show its memory by itself, and a short one is taken as if there
            was one slot, which would have been busier than more.
    """
    n, ended_s = len(arrived_s), arrived_s + takes_s
    if isinstance(n_slots, Unknown) and n >= ALONE_MIN:
        memory = max(_own_memory(found_inside(arrived_s, ended_s)), _own_memory(latencies_s[0]))
        return of_series(*latencies_s, names, memory, lambda share: Inflation.at_least(memory))
    queue = Congestion.of(arrived_s, ended_s, 1 if isinstance(n_slots, Unknown) else n_slots)
    if queue is None:
        return dict.fromkeys(names, Unknown("not estimable: all requests were due at one instant"))
    busy = queue.raised(_MEMORY_ERRORS)
    memory, is_busy = queue.memory(busy), busy >= UTILISATION_MAX
    if isinstance(n_slots, Unknown) and (is_busy or _n_batches(n, memory) < N_BATCHES_MIN):
        few = counted(n, "request")
        return dict.fromkeys(
            names, Unknown(f"not estimable: {n_slots.reason}, and {few} cannot show how busy they were")
        )
    if is_busy:
        seen = f"the slots were busy {min(1.0, queue.utilisation):.0%} of the time"
        return dict.fromkeys(names, Unknown(f"not estimable: {seen}, so the queue may grow without limit"))
    if isinstance(n_slots, Unknown):
        return of_series(*latencies_s, names, memory, lambda share: Inflation.at_least(queue.inflation(share, busy)))
    return of_series(*latencies_s, names, memory, lambda share: _of_queue(queue, share))


def _of_queue(queue: Congestion, share: float) -> Inflation:
    """Its error is that of the utilisation: a chi-square law with 2 / d^2 degrees has the relative deviation d."""
    value, raised = (queue.inflation(share, queue.raised(errors)) for errors in (_WORTH_ERRORS, _MEMORY_ERRORS))
    deviation = math.log(raised / value) / (_MEMORY_ERRORS - _WORTH_ERRORS)
    return Inflation(value, min(_DEGREES_KNOWN, 2 / max(deviation, 1e-9) ** 2), raised)


def of_series(
    least_s: Values, most_s: Values, names: list[str], memory: float, inflation: Callable[[float], Inflation]
) -> Intervals:
    """Of a series in order of schedule.

    Args:
        least_s: What each latency is at least.
        most_s: And at most; infinite where it is not known, or never over.
        names: Of `bounds.PERCENTILES`.
        memory: How many requests resemble each other.
        inflation: Of a share, what is known of it beside the batches.
    """
    n = len(least_s)
    # What is not of the queue, as a service that drifts, may last longer than the queue's memory.
    memory = max(memory, _own_memory(least_s) / MEMORIES_MIN)
    n_batches = _n_batches(n, memory)
    if n_batches < N_BATCHES_MIN:
        need = math.ceil(N_BATCHES_MIN * MEMORIES_MIN * memory)
        why = f"{counted(n, 'request')}, each like some {memory:,.0f} around it, and it takes {need:,}"
        return dict.fromkeys(names, Unknown(f"not estimable (N_eff = {n / memory:,.0f}): {why}"))
    series = _Series(least_s, ascending(least_s), np.sort(most_s), n_batches)
    return {name: _interval(series, _SHARES[name], inflation(_SHARES[name])) for name in names}


def _as_independent(share: float) -> Inflation:
    return Inflation.at_least(1.0)


def _n_batches(n: int, memory: float) -> int:
    return min(N_BATCHES_MAX, int(n / (MEMORIES_MIN * memory)))


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """Latencies in order of schedule, and ascending what they are at least and at most."""

    in_order: Values
    least: Values
    most: Values
    n_batches: int

    @property
    def n(self) -> int:
        return len(self.in_order)

    def inflation(self, share: float) -> float:
        """By how much the shares of batches below the percentile vary more than those of independent requests."""
        at = self.least[math.ceil(share * self.n) - 1]
        shares = np.array([float(np.mean(batch <= at)) for batch in np.array_split(self.in_order, self.n_batches)])
        whole = float(np.mean(self.in_order <= at))
        variance = float(np.sum((shares - whole) ** 2)) / (self.n_batches - 1)
        return variance * self.n / self.n_batches / (share * (1 - share))


def _pooled(of_batches: float, n_batches: int, known: Inflation) -> tuple[float, int]:
    """The inflation that both sides say together, and its degrees of freedom."""
    degrees = n_batches - 1
    if known.degrees is None:
        more = _DEGREES_KNOWN if known.value > of_batches else 0
        return max(1.0, known.value, of_batches), degrees + more
    # Paulson's normal deviate of the ratio of two variances.
    ratio, own, others = math.cbrt(of_batches / known.value), 2 / (9 * degrees), 2 / (9 * known.degrees)
    if (1 - others) * ratio - (1 - own) > _CONTRADICTED * math.sqrt(others * ratio**2 + own):
        return max(1.0, of_batches), degrees
    together = degrees + known.degrees
    return max(1.0, (degrees * of_batches + known.degrees * known.value) / together), round(together)


def _interval(series: _Series, share: float, known: Inflation) -> Interval | Unknown:
    inflation, degrees = _pooled(series.inflation(share), series.n_batches, known)
    t, rarer = student.quantile(CONFIDENCE, degrees), min(share, 1 - share)
    half = t * math.sqrt(share * (1 - share) * inflation / series.n)
    low, high = math.floor((share - half) * series.n), math.ceil((share + half) * series.n) - 1
    if series.n * rarer < BEYOND_MIN * known.raised or low < 0 or high >= series.n - 1:
        need = math.ceil(max(BEYOND_MIN * known.raised, t**2 * inflation) / rarer)
        found = f"not estimable (N_eff = {series.n / inflation:,.0f})"
        return Unknown(f"{found}: too few of {series.n:,} requests lie above it, and it takes some {need:,}")
    top = float(series.most[high])
    return Interval(
        low_s=float(series.least[low]),
        high_s=top if math.isfinite(top) else None,
        method="order statistics",
        n_eff=series.n / inflation,
    )


def _measured_spans(frames: Frames) -> list[PhaseSpan]:
    return [span for span in frames.spans if span.n and not span.warmup]


def _not_steady(frames: Frames, capacity: Capacity | Unknown) -> str:
    """Why a run's load or capacity changed by design; empty where it did not."""
    spans = _measured_spans(frames)
    if not spans:
        return "which phases there were is not known"
    (phase, *others) = spans
    if frames.manifest.imported is not None:
        return "whether the other tool's load was steady is not known: repeat the run, and compare runs"
    if others or not (phase.kind in _STEADY or (phase.kind == "users" and not phase.joins_ns)):
        kinds = ", ".join(dict.fromkeys(span.kind for span in spans))
        return f"the load changes by design ({kinds}): repeat the run, and compare runs"
    if isinstance(capacity, Unknown):
        return ""
    until_ns = frames.end_ns if phase.end_ns is None else phase.end_ns
    if not capacity.serving.any():
        return "no instance served"
    if not _serving(phase, capacity) or capacity.changed_within(phase.start_ns, until_ns):
        return "the number of instances changed under way: repeat the run, and compare runs"
    return ""


def _serving(phase: PhaseSpan, capacity: Capacity) -> int:
    return int(capacity.serving_at(np.array([phase.start_ns]))[0])


def _n_slots(phase: PhaseSpan, capacity: Capacity | Unknown, n_at_once: int | Unknown) -> int | Unknown:
    if isinstance(capacity, Unknown):
        return capacity
    return n_at_once if isinstance(n_at_once, Unknown) else n_at_once * _serving(phase, capacity)


def _own_memory(values: Values) -> float:
    """How many values resemble each other, rather too many: the integrated autocorrelation and two standard errors.

    Where it is taken too short by chance an interval is given that is too narrow: of the runs with one, too many would
    miss.
    """
    lags = autocorrelation(values)
    # Summed until the sum's own length is a fifth of the lags summed: beyond, there is only noise to add.
    memory = 1 + 2 * np.cumsum(lags[1:])
    enough = np.flatnonzero(np.arange(1, len(lags)) >= _WINDOW * memory)
    if not len(enough):
        return float(len(values))
    n_lags, estimate = int(enough[0]) + 1, float(memory[enough[0]])
    return max(1.0, estimate * (1 + 2 * math.sqrt(2 * (2 * n_lags + 1) / len(values))))
