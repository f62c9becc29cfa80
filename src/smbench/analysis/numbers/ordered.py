"""Numbers in ascending order: most of what a report of a million requests takes."""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

Number = TypeVar("Number", np.int64, np.float64)


def ascending(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Sorted by polars on every core, in a third of numpy's time on two. The result cannot be written to."""
    in_order: npt.NDArray[Any] = pl.Series(values).sort().to_numpy()
    return in_order


def commonest(texts: pl.Series) -> str | None:
    """The most frequent text, the first in the alphabet of several that do; None: there is none."""
    counted = texts.drop_nulls().value_counts(name="n").sort("n", texts.name, descending=[True, False])
    return str(counted[texts.name][0]) if counted.height else None


def of_rank(counts: pl.Series, share: float) -> int:
    """A quantile of whole numbers in any order, by the rule of every percentile: the inverse ECDF. 0 of none."""
    return int(counts.quantile(share, "equiprobable") or 0)


def of_next(in_order: Sequence[float], share: float) -> float:
    """The value that one more draw like these falls below with a chance of `share`: that of rank share * (n + 1).

    Between two ranks it is interpolated, or the nearer one where one of them is infinite; beyond the first and the last
    it is those, so the chance of a few values is nearer to one half than what was asked for.

    Args:
        in_order: Ascending, not empty.
    """
    place = min(max(share * (len(in_order) + 1) - 1, 0.0), len(in_order) - 1.0)
    low, high = float(in_order[math.floor(place)]), float(in_order[math.ceil(place)])
    part = place - math.floor(place)
    if not math.isfinite(high - low):
        return high if part > 0.5 else low
    return low + part * (high - low)


def chance_between(n: int, low: float, high: float) -> float:
    """How likely one more draw lies between what `of_next` gives for these shares: less where `n` reach less far."""
    return min(high, n / (n + 1)) - max(low, 1 / (n + 1))
