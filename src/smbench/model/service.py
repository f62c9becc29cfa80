"""Chance in the model: laws of durations to draw from, and how long a request keeps a slot busy."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.scenario.values.distributions import Distribution, Empirical, ServiceLaw
from smbench.scenario.values.files import is_inside, read_regular
from smbench.scenario.values.seeds import stream

_BLOCK = 128
_FILE_MAX_BYTES = 2**30
_CELL_SHOWN_MAX = 60
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where the model's chances come from; each use of one seed has a stream of its own."""

    service: int = 0
    capacity: int = 0
    faults: int = 0

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Those that the scenario names, or derives from its one seed."""
        return cls(scenario.seed_of("service"), scenario.seed_of("capacity"), scenario.seed_of("faults"))


class Sampler:
    """Draws seconds from one law, with a generator of its own.

    Args:
        base_dir: Where an empirical law's file is looked for.

    Raises:
        UsageError: An empirical law's file is missing, empty, or holds something that is no duration.
    """

    def __init__(self, distribution: Distribution, rng: np.random.Generator, base_dir: Path | None = None) -> None:
        self._draw = _blocks_of(distribution, rng, base_dir)
        self.draw_s: Callable[[], float] = _one_by_one(self._draw)

    def first_s(self, n: int) -> NDArray[np.float64]:
        """The first `n` draws at once, of a sampler that has drawn nothing; it is used up then."""
        return self._draw(n)[:n]


_Blocks = Callable[[int], NDArray[np.float64]]


def _blocks_of(law: Distribution, rng: np.random.Generator, base_dir: Path | None) -> _Blocks:
    """So many draws of a law, or a few more."""
    if law.lognormal is not None:
        log_median, sigma = math.log(law.lognormal.median_s), law.lognormal.sigma
        return lambda n: rng.lognormal(log_median, sigma, n)
    if law.gamma is not None:
        shape = law.gamma.cv**-2
        scale_s = law.gamma.mean / shape
        return lambda n: rng.gamma(shape, scale_s, n)
    if law.exponential is not None:
        mean_s = law.exponential.mean
        return lambda n: rng.exponential(mean_s, n)
    if law.uniform is not None:
        low_s, high_s = law.uniform.low, law.uniform.high
        return lambda n: rng.uniform(low_s, high_s, n)
    if law.empirical is not None:
        values_s = np.array(read_empirical_s(law.empirical, base_dir))
        steps = np.arange(law.empirical.block)
        return lambda n: _blocks(values_s, rng.integers(len(values_s), size=-(-n // len(steps))), steps)
    constant_s = law.constant or 0.0  # exactly one law is named, so this is the one
    return lambda n: np.full(n, constant_s)


def _blocks(values: NDArray[np.float64], starts: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows in turn from each start on; after the last row the first (circular block bootstrap)."""
    drawn: NDArray[np.float64] = values[(starts[:, None] + steps) % len(values)].ravel()
    return drawn


def _one_by_one(draw: _Blocks) -> Callable[[], float]:
    """One draw a call. Drawn by the block: alone, each would cost more than all else an arrival needs."""

    def draws() -> Iterator[float]:
        while True:
            yield from draw(_BLOCK).tolist()

    return draws().__next__


def read_empirical_s(law: Empirical, base_dir: Path | None = None) -> list[float]:
    """The measured durations of an empirical law's file, in seconds, in the file's order.

    Raises:
        UsageError: see `Sampler`.
    """
    path = (base_dir or Path()) / law.file
    try:
        text = read_regular(path, _FILE_MAX_BYTES).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""))
        rows = [(line, row) for line, row in enumerate(reader, start=1) if any(cell.strip() for cell in row)]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except csv.Error as error:
        raise UsageError(f"{path}: is not CSV: {error}") from None
    is_shown = is_inside(path, [base_dir or Path()])  # of a file outside nothing is quoted
    place = 0
    if rows and _number(rows[0][1][0]) is None:  # a header
        header = [cell.strip() for cell in rows.pop(0)[1]]
        if law.column is not None and law.column not in header:
            advice = f"its columns are {', '.join(header)}" if is_shown else ""
            raise UsageError(f"{path}: has no column '{law.column}'", advice)
        place = 0 if law.column is None else header.index(law.column)
    elif law.column is not None:
        raise UsageError(f"{path}: has no header, so no column '{law.column}'")
    if not rows:
        raise UsageError(f"{path}: holds no durations")
    durations = []
    for line, row in rows:
        value = _number(row[place]) if place < len(row) else None
        if value is None or not math.isfinite(value) or value < 0:
            got = f" (got {row[place][:_CELL_SHOWN_MAX] if place < len(row) else 'nothing'})" if is_shown else ""
            raise UsageError(f"{path}:{line}: a duration must be a number, not below zero{got}")
        durations.append(value / _PER_SECOND[law.unit] * law.scale)
    return durations


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


class ServiceSampler:
    """How long each request works, by payload class, on an instance of average speed.

    Call it once per request in order of acceptance: the n-th request of a class then works equally long under every
    policy and in every driver, which is what makes two simulations of one load comparable request by request.
    A request that begins again, after its instance died, works as long as the first time.
    """

    def __init__(self, law: ServiceLaw, seed: int, base_dir: Path | None = None) -> None:
        self._by_class = {
            name: Sampler(each, stream(seed, f"service.{name}"), base_dir) for name, each in law.by_class.items()
        }
        # A class that nobody named has the law of "", or the first when there is no such law.
        self._other = self._by_class.get("") or next(iter(self._by_class.values()))

    def work_s(self, payload_class: str) -> float:
        """Seconds for the next request of this class; an unknown class has the law of the default."""
        return self.sampler(payload_class).draw_s()

    def sampler(self, payload_class: str) -> Sampler:
        """What the requests of this class are drawn from; classes without a law of their own share one."""
        return self._by_class.get(payload_class, self._other)
