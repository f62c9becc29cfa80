"""Two small groups compared by ranks alone, exactly: no law of the values is assumed, and no chance is drawn.

All of it rests on one distribution: that of the rank sum when every division of the pooled values into two groups of
these sizes is equally likely. It is counted, not sampled: an exact permutation test costs as little for 20 runs a side
as for 5. Ties share their mean rank. Sources: docs/methods.md#comparison, with Hodges and Lehmann 1963; Streitberg and
Röhmel 1986 (the counting); Schuirmann 1987 (two one-sided tests); Holm 1979.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]  # one a run; infinity is a value like any other, nan is not

N_MAX = 100  # values in both groups: the counting costs n^4 / 8 additions, a tenth of a second here


def p_greater(values: Values, reference: Values) -> float:
    """How likely ranks as high as these, or higher, would be if the groups did not differ."""
    counts, rank_sum = _rank_sums(values, reference)
    return float(counts[rank_sum:].sum() / counts.sum())


def p_two_sided(values: Values, reference: Values) -> float:
    """Twice the smaller of the two one-sided probabilities, at most 1."""
    counts, rank_sum = _rank_sums(values, reference)
    tail = min(counts[rank_sum:].sum(), counts[: rank_sum + 1].sum())
    return min(1.0, float(2 * tail / counts.sum()))


def p_least(n: int, n_reference: int) -> float:
    """The smallest two-sided probability groups of these sizes can give: when they do not overlap at all."""
    return p_two_sided(_counting(n_reference, n), _counting(0, n_reference))


def cliffs_delta(values: Values, reference: Values) -> float:
    """The share of pairs in which `values` is greater less that in which it is smaller: -1 to 1, 0 when neither."""
    above = (values[:, None] > reference[None, :]).sum()
    below = (values[:, None] < reference[None, :]).sum()
    return float(int(above) - int(below)) / (len(values) * len(reference))


@dataclass(frozen=True, slots=True)
class Cut:
    """How many of the sorted pairwise differences to cut off at either end, and how often what is left covers."""

    n: int
    confidence: float


@functools.cache
def cut(n: int, n_reference: int, confidence: float) -> Cut:
    """Where the interval of the Hodges-Lehmann shift ends.

    With differences D(1) <= .. <= D(nm), the interval D(k + 1) .. D(nm - k) covers the shift with 1 - 2 P(U <= k), U
    the Mann-Whitney count. The largest k that keeps the confidence asked for is taken; groups too small for it get
    k = 0, the whole range, whose own confidence is less.
    """
    counts, _ = _rank_sums(_counting(0, n), _counting(n, n_reference))
    least = n * (n + 1)  # the smallest doubled rank sum; without ties every second one is possible
    below = np.cumsum(counts[least::2]) / counts.sum()
    k = max(0, int(np.searchsorted(below, (1 - confidence) / 2 * (1 + 1e-12), side="right")) - 1)
    return Cut(k, float(1 - 2 * below[k]))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Each probability corrected for the others that were looked at; in the order given."""
    adjusted = [0.0] * len(probabilities)
    at_least = 0.0
    for rank, place in enumerate(sorted(range(len(probabilities)), key=probabilities.__getitem__)):
        at_least = max(at_least, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        adjusted[place] = at_least
    return adjusted


def _counting(first: int, n: int) -> Values:
    return np.arange(first, first + n, dtype=np.float64)


def _rank_sums(values: Values, reference: Values) -> tuple[npt.NDArray[np.float64], int]:
    """In how many divisions each doubled rank sum occurs, and the one that did.

    Ranks are doubled so that a mean of two is whole. `counts[k, s]`: the ways to take k of the ranks seen so far with
    sum s; each further rank is taken or not. Float64 counts whole numbers exactly to 2^53, and beyond that to 1e-15.
    """
    pooled = np.concatenate([values, reference])
    in_order = np.sort(pooled)
    doubled = np.searchsorted(in_order, pooled, "left") + np.searchsorted(in_order, pooled, "right") + 1
    n = len(values)
    highest = int(np.sort(doubled)[len(pooled) - n :].sum())
    counts = np.zeros((n + 1, highest + 1))
    counts[0, 0] = 1
    for rank in doubled:
        counts[1:, rank:] += counts[:-1, : highest + 1 - rank]
    return counts[n], int(doubled[:n].sum())
