"""How long an inference takes, by payload class: what was measured, in order, so that its correlation survives.

A model draws blocks of consecutive services (circular block bootstrap, Politis and Romano 1992), twice as long as the
integrated autocorrelation time. Beside it the named law that is nearest, which needs no file.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.analysis.capacity.hosts import HostSpread, host_spread
from smbench.analysis.capacity.slots import Slots, slots
from smbench.analysis.numbers.autocorrelation import autocorrelation
from smbench.calibration.runs import MeasuredRun
from smbench.errors import UsageError
from smbench.records import Unknown

Values = npt.NDArray[np.float64]

_STAMP_S = 1e-3  # stamps are whole milliseconds
_LAGS_MAX = 200
_BLOCK_MAX = 500
CLASS_MIN = 30  # services; a class with fewer is one of "all others"
_CLASS_NAME = re.compile(r"[A-Za-z0-9._-]+")  # as a scenario may call one


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The services of one payload class; of the class "" those of all that have no law of their own."""

    payload_class: str
    services_s: Values  # in order of receipt
    block: int  # requests that a draw takes in turn
    mean_s: float
    error_s: float  # standard error of the mean, autocorrelation taken into account
    median_s: float
    sigma: float  # of the logarithm
    distance: float  # of the lognormal law with this median and sigma, by Kolmogorov and Smirnov


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """Of all runs under one concurrency."""

    by_class: tuple[Service, ...]
    n_left_out: int  # completed, and it is not known when they began
    spread: HostSpread | Unknown  # of the run in which most requests could be followed


def services(runs: Sequence[MeasuredRun], concurrency: int) -> Services:
    """What the runs say of the service if an instance has so many slots.

    Raises:
        UsageError: of no request both begin and end are known.
    """
    parts, spreads, n_left_out, reasons = [], [], 0, []
    for run in runs:
        found = slots(run.frames, run.capacity, concurrency)
        if isinstance(found, Unknown):
            reasons.append(f"{run.name}: {found.reason}")
            continue
        spreads.append(host_spread(found, run.capacity))
        parts.append(_of_run(found, run))
        n_known, n_completed = found.n_with_service
        n_left_out += n_completed - n_known
    rows = pl.concat(parts) if parts else pl.DataFrame()
    if rows.is_empty():
        raise UsageError(f"no service time can be found with a concurrency of {concurrency}: {'; '.join(reasons)}")
    known = [spread for spread in spreads if isinstance(spread, HostSpread)]
    spread = max(known, key=lambda each: each.n_requests) if known else spreads[0]
    counts = dict(rows["payload"].value_counts().iter_rows())
    own = sorted(name for name, n in counts.items() if n >= CLASS_MIN and name and _CLASS_NAME.fullmatch(name))
    of_its_own = pl.when(pl.col("payload").is_in(own)).then("payload").otherwise(pl.lit(""))
    classes = rows.with_columns(of_its_own).group_by("payload", maintain_order=True).agg("service_s").sort("payload")
    by_class = [_service(name, np.array(taken)) for name, taken in classes.iter_rows()]
    if len(by_class) == 1:
        by_class = [replace(by_class[0], payload_class="")]
    return Services(tuple(by_class), n_left_out, spread)


def _of_run(found: Slots, run: MeasuredRun) -> pl.DataFrame:
    chosen = found.is_sharp & found.is_completed
    taken = pl.DataFrame({"seq": found.seq[chosen], "service_s": found.served_ns[chosen] / 1e9})
    return taken.join(run.classes.select("seq", "payload"), on="seq", how="left", maintain_order="left").select(
        "payload", pl.col("service_s").clip(lower_bound=_STAMP_S)
    )


def _service(name: str, taken_s: Values) -> Service:
    logs = np.log(taken_s)
    time = integrated_autocorrelation(logs)
    spread_s = float(taken_s.std(ddof=1)) if len(taken_s) > 1 else 0.0
    median_s, sigma = math.exp(float(logs.mean())), float(logs.std(ddof=1)) if len(logs) > 1 else 0.0
    return Service(
        payload_class=name,
        services_s=taken_s,
        block=1 if time == 1 else min(_BLOCK_MAX, math.ceil(2 * time)),
        mean_s=float(taken_s.mean()),
        error_s=spread_s * math.sqrt(time / len(taken_s)),
        median_s=median_s,
        sigma=sigma,
        distance=_distance(logs, math.log(median_s), sigma),
    )


def without_hosts(service: Service, spread: float) -> Values:
    """The services on an instance of average speed, drawn together by as much as the instances' speeds explain.

    Args:
        spread: Standard deviation of the logarithm of slowness between instances.
    """
    if not spread or service.sigma <= spread:
        return service.services_s
    shrink = math.sqrt(1 - (spread / service.sigma) ** 2)
    drawn = service.median_s * (service.services_s / service.median_s) ** shrink
    scaled: Values = drawn * (service.mean_s / drawn.mean())
    return scaled


def integrated_autocorrelation(values: Values) -> float:
    """One plus twice the sum of the autocorrelations until the first that may be chance; 1 where none is beyond it."""
    n = len(values)
    if n < 10:
        return 1.0
    lags = autocorrelation(values)[1 : min(_LAGS_MAX, n // 4) + 1]
    may_be_chance = np.flatnonzero(lags < 2 / math.sqrt(n))
    n_lags = int(may_be_chance[0]) if len(may_be_chance) else len(lags)
    return 1.0 + 2 * float(lags[:n_lags].sum())


def _distance(logs: Values, mean: float, sigma: float) -> float:
    if not sigma:
        return 0.0
    n, ordered = len(logs), np.sort(logs)
    share = np.array([0.5 * math.erfc(-(value - mean) / (sigma * math.sqrt(2))) for value in ordered.tolist()])
    above, below = np.arange(1, n + 1) / n - share, share - np.arange(n) / n
    return float(max(above.max(), below.max()))
