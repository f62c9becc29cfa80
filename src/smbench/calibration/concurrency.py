"""How many requests an instance works on at once: from when requests were received and when they ended.

An assumed concurrency gives every request a service, by `analysis.capacity.slots`. Where the assumption is right, those
that waited and those that did not have the same services; one that is too low makes some end before they begin. That
takes both kinds, and requests whose service is known whatever the concurrency: those that found fewer requests in the
system than instances, and so started at once. From a burst alone there are hardly any, every concurrency above some
bound explains the ends equally well, with services in proportion, and only the bound is known.
Source: docs/methods.md#calibration.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smbench.analysis.capacity.slots import Slots, slots
from smbench.analysis.numbers.ordered import ascending
from smbench.calibration.distances import kolmogorov_smirnov
from smbench.calibration.runs import MeasuredRun
from smbench.units import counted

Values = npt.NDArray[np.float64]

CONCURRENCY_MAX = 32
GROUP_MIN = 30  # requests in each group
NEAR = 0.03  # scores that near to the least are as good
_NEGATIVE_WEIGHT = 5.0
_NEGATIVE_MAX = 0.002  # of services that end before they begin: stamps and notices are not exact
_WORSE_FOR = 4  # this many concurrencies in turn without a better score: a greater one will not come


@dataclass(frozen=True, slots=True)
class Concurrency:
    """What was found. `value` None: not identifiable, and `why` says the reason; `at_least` is known all the same."""

    value: int | None
    at_least: int
    as_good: tuple[int, ...] = ()  # others whose score is within `NEAR` of the best
    why: str = ""
    n_at_once: int = 0  # requests that found an idle instance
    n_others: int = 0  # requests that waited


def concurrency(runs: Sequence[MeasuredRun]) -> Concurrency:
    """The concurrency that explains all runs best."""
    scores: dict[int, float] = {}
    at_least, n_at_once, n_others = 1, 0, 0
    for wanted in range(1, CONCURRENCY_MAX + 1):
        groups = _groups(runs, wanted)
        if groups is None or groups.share_negative > _NEGATIVE_MAX:
            at_least = min(wanted + 1, CONCURRENCY_MAX) if at_least == wanted else at_least
        if groups is None:
            continue
        n_at_once, n_others = groups.n_at_once, len(groups.waited_s)
        if min(n_at_once, len(groups.waited_s), len(groups.unwaited_s)) < GROUP_MIN:
            if at_least > wanted:
                continue
            break
        distance = kolmogorov_smirnov(groups.waited_s, groups.unwaited_s)
        scores[wanted] = distance + _NEGATIVE_WEIGHT * groups.share_negative
        if wanted - min(scores, key=lambda each: scores[each]) >= _WORSE_FOR:
            break
    if not scores:
        return Concurrency(None, at_least, why=_why(n_at_once), n_at_once=n_at_once, n_others=n_others)
    best = min(scores, key=lambda each: scores[each])
    as_good = tuple(each for each, score in scores.items() if each != best and score - scores[best] <= NEAR)
    return Concurrency(best, min(at_least, best), as_good, n_at_once=n_at_once, n_others=n_others)


def _why(n_at_once: int) -> str:
    if n_at_once < GROUP_MIN:
        return (
            f"not identifiable: {counted(n_at_once, 'request')} found an idle instance, {GROUP_MIN} are needed; "
            "from a burst alone only service over concurrency is known"
        )
    return f"not identifiable: fewer than {GROUP_MIN} requests waited, one after another, for a slot"


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Services, seconds, under an assumed concurrency."""

    waited_s: Values
    unwaited_s: Values
    n_at_once: int  # that found an idle instance

    @property
    def share_negative(self) -> float:
        """Of those that waited, how many would have ended before they began."""
        return float(np.mean(self.waited_s <= 0)) if len(self.waited_s) else 0.0


def _groups(runs: Sequence[MeasuredRun], wanted: int) -> _Groups | None:
    """None: some run contradicts the assumption."""
    parts = []
    for run in runs:
        found = slots(run.frames, run.capacity, wanted)
        if not isinstance(found, Slots):
            return None
        chosen = found.is_sharp & found.is_completed & found.is_ordered
        has_waited = found.began_ns > found.arrived_ns
        service_s = (found.ended_ns - found.began_ns) / 1e9
        n_at_once = int((chosen & _finds_one_idle(found, run)).sum())
        parts.append(_Groups(service_s[chosen & has_waited], service_s[chosen & ~has_waited], n_at_once))
    return _Groups(
        np.concatenate([part.waited_s for part in parts]),
        np.concatenate([part.unwaited_s for part in parts]),
        sum(part.n_at_once for part in parts),
    )


def _finds_one_idle(found: Slots, run: MeasuredRun) -> npt.NDArray[np.bool_]:
    n_ended = np.searchsorted(ascending(found.ended_ns), found.arrived_ns, side="right")
    inside = np.arange(len(found.arrived_ns)) - n_ended
    is_idle: npt.NDArray[np.bool_] = inside < run.capacity.serving_at(found.arrived_ns)
    return is_idle
