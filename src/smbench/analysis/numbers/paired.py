"""Differences of pairs: what two runs with the same chances do not share is what was changed.

Student's t, for no test by ranks can call five pairs different: the least of their probabilities is 2 / 2^5 = 0.0625.
It takes the differences, of logarithms, to be near normal. Source: docs/methods.md#comparison.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smbench.analysis.numbers import student

Values = npt.NDArray[np.float64]

PAIRS_MIN = 3  # with two, the interval of a t test is twelve standard errors wide: ranks of all runs say more
N_SEARCHED = 100  # runs a side: beyond, no number of runs is proposed
_ROUNDING = 1e-12  # of a logarithm: differences nearer to each other are one difference
_POWER = 0.8416  # of the normal law: a difference of the size seen is then shown four times in five


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Of the mean difference: its interval, and the probabilities that it is nothing and that it is beyond a margin."""

    mean: float
    half: float  # of the interval
    p: float  # two-sided
    p_same: float  # the larger of two one-sided tests against the margin


def twins(keys: Sequence[Hashable], other_keys: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The places of the same key in both, in the order of the first; none where a key is not distinct.

    None either where not every value of the shorter has its twin, or there are fewer than `PAIRS_MIN`.
    """
    places = {key: place for place, key in enumerate(other_keys)}
    if len(set(keys)) < len(keys) or len(places) < len(other_keys):
        return []
    found = [(place, places[key]) for place, key in enumerate(keys) if key in places]
    return found if len(found) >= max(PAIRS_MIN, min(len(keys), len(other_keys))) else []


def paired_test(differences: Values, margin: float, confidence: float) -> PairedTest:
    """Of two finite differences or more. `margin` is a difference too."""
    degrees = len(differences) - 1
    mean, error = float(differences.mean()), float(differences.std(ddof=1)) / math.sqrt(len(differences))
    if error < _ROUNDING:
        return PairedTest(mean, 0.0, float(abs(mean) < _ROUNDING), float(abs(mean) >= margin))
    return PairedTest(
        mean=mean,
        half=student.quantile(confidence, degrees) * error,
        p=min(1.0, 2 * student.p_beyond(abs(mean) / error, degrees)),
        p_same=student.p_beyond((margin - abs(mean)) / error, degrees),
    )


def n_to_settle(mean: float, spread: float, margin: float, n: int, *, is_paired: bool) -> int | None:
    """Runs a side, more than `n`, that would show the difference or its absence, if both stay as they were seen.

    Args:
        mean: Of the differences.
        spread: Standard deviation of a difference of pairs, or else of the values of one side.
        margin: Within which a difference does not matter.
        n: Runs a side that there were.
        is_paired: Whether `spread` is of pairs.
    """
    for more in range(n + 1, N_SEARCHED + 1):
        degrees = more - 1 if is_paired else 2 * (more - 1)
        error = spread * math.sqrt((1 if is_paired else 2) / more)
        is_shown = abs(mean) >= (student.quantile(0.95, degrees) + _POWER) * error
        if is_shown or margin - abs(mean) >= (student.quantile(0.90, degrees) + _POWER) * error:
            return more
    return None
