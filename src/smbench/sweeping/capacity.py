"""Which rates to try next in a capacity search: bracket, narrow, confirm; and what follows from the rates tried.

Nothing here runs anything or knows a clock. The same evidence always asks for the same rates, so that a search that
was killed goes on where it was. Source: docs/methods.md#capacity-search.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from smbench.analysis.numbers.batch_means import Estimate, pooled
from smbench.analysis.numbers.crossing import Crossing, Point, crossing
from smbench.sweeping.probe import Evidence, Misses

Purpose = Literal["bracket", "narrow", "confirm"]

BACKLOG = "the backlog grows"
CONFIDENCE = 0.95
PRECISION = 0.05  # half an interval this narrow is narrow enough, as a share of the rate
_REPEAT = math.sqrt(2)  # a repeat differs from the truth and so do we: the difference of two has twice the variance
_DEVIATES = 1.96 * _REPEAT
_BRACKET_LENGTH = 0.5  # of a probe's full length, while the bracket is sought
_NEAR = 1.6  # overloads up to this many times what is served tell what is served near the capacity
_OVERLOADS = (1.25, 1.35)  # less does not grow for certain, and then it counts only where by chance little was served
_BEYOND_UNSURE = 1.1  # times a rate that did not grow for certain: the same again would say as little
_JUST_BELOW = 0.9  # of what is served: does anything fail before the backlog grows?
_LONGEST = 4.0  # times the full length
_LOCAL = 4.0  # shares up to so many times more or less than the one allowed lie on its line of log-odds
_SHARE_MAX = 0.6
_BEFORE = 0.97  # of what is served: a demand that may fail below this is looked into first
_CONFIRMATIONS_MAX = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """Within what is searched.

    Args:
        first_hz: The first rate to try.
        probes_max: Runs in all.
        at_once: Rates that are asked for together.
    """

    first_hz: float
    lowest_hz: float
    highest_hz: float
    probes_max: int = 16
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class Ask:
    """A rate to try, with a run of so many times the full length."""

    rate_hz: float
    length: float
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Seen:
    """A probe that is over, and why it was asked for."""

    purpose: Purpose
    length: float
    evidence: Evidence

    @property
    def rate_hz(self) -> float:
        """That was offered."""
        return self.evidence.rate_hz


@dataclass(frozen=True, slots=True)
class Found:
    """The answer.

    Args:
        rate_hz: The highest rate that is kept; None: it is outside of what was searched.
        low_hz: The interval's lower end; 0: not even the lowest rate was kept.
        high_hz: To here; infinite: the highest rate was kept, too.
        binds: What fails beyond: the backlog, or a demand's text; empty: nothing did.
        is_confirmed: A run of its own at the lower end did not fail.
    """

    rate_hz: float | None
    low_hz: float
    high_hz: float
    binds: str
    is_confirmed: bool


def next_asks(seen: Sequence[Seen], terms: Terms) -> tuple[Ask, ...]:
    """What to try now, together; empty: the search is over.

    Args:
        seen: In the order in which they were asked for.
    """
    left = terms.probes_max - len(seen)
    if left <= 0:
        return ()
    state = _State.of(seen)
    if not state.is_bracketed:
        wanted = _bracket(state, terms)
    else:
        # The last probe is kept for the confirmation.
        wanted = (_narrow(state, terms)[: left - 1] if left > 1 else []) or _confirm(state)
    return tuple(wanted[: min(left, terms.at_once)])


def found(seen: Sequence[Seen]) -> Found:
    """What the probes say together, at any time."""
    state = _State.of(seen)
    low, high = state.interval
    if not state.is_bracketed:
        return Found(None, low, high, state.binds, is_confirmed=False)
    binding = state.binding
    guess = binding.middle if binding.middle is not None and binding.low <= low * (1 + PRECISION) else binding.hint
    rate = guess if guess is not None and low <= guess <= high else math.sqrt(low * high)
    return Found(rate, low, high, state.binds, is_confirmed=bool(state.confirmations))


@dataclass(frozen=True, slots=True)
class _Bound:
    """Between which rates one demand, or the backlog, begins to fail."""

    text: str
    low: float
    high: float
    middle: float | None  # where it is estimated, and not only enclosed
    hint: float | None = None  # where to look
    place: int | None = None  # among the demands; None: the backlog


@dataclass(frozen=True, slots=True)
class _State:
    """The probes, and what they say of each demand."""

    seen: tuple[Seen, ...]
    served: Estimate | None  # near the capacity, from all probes that tell
    backlog: _Bound
    demands: tuple[_Bound, ...]

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> "_State":
        served = _served([one.evidence for one in seen])
        n_demands = len(seen[0].evidence.misses) if seen else 0
        demands = tuple(_of_demand(place, seen) for place in range(n_demands))
        if served is None:
            low, high = _between([(one.rate_hz, one.evidence.growth) for one in seen])
            backlog = _Bound(BACKLOG, low, high, None)
        else:
            half = served.half(CONFIDENCE) * _REPEAT
            low, high = max(0.0, served.mean - half), served.mean + half
            # What is served beyond capacity is a rate that is kept, once a rate below it did not fail.
            stays = any(one.rate_hz <= high and one.evidence.growth != "fails" for one in seen)
            backlog = _Bound(BACKLOG, low if stays else 0.0, high, served.mean)
        return cls(tuple(seen), served, backlog, demands)

    @property
    def bounds(self) -> tuple[_Bound, ...]:
        return (self.backlog, *self.demands)

    @property
    def interval(self) -> tuple[float, float]:
        """From the lowest rate at which one may begin to fail to the lowest at which one does."""
        return min(one.low for one in self.bounds), min(one.high for one in self.bounds)

    @property
    def is_bracketed(self) -> bool:
        low, high = self.interval
        return low > 0 and math.isfinite(high)

    @property
    def binding(self) -> _Bound:
        """What fails first, as far as is known."""
        return min(self.bounds, key=lambda one: next(at for at in (one.middle, one.hint, one.high) if at is not None))

    @property
    def binds(self) -> str:
        return self.binding.text if math.isfinite(self.interval[1]) else ""

    @property
    def confirmations(self) -> list[Seen]:
        """Runs of their own at the lower end that did not fail."""
        low = self.interval[0]
        near = [one for one in self.seen if one.purpose == "confirm" and one.rate_hz >= low * (1 - PRECISION)]
        return [one for one in near if one.evidence.said != "fails"]

    def has_tried(self, low_hz: float, high_hz: float) -> bool:
        """A run of full length at such a rate."""
        return any(low_hz <= one.rate_hz <= high_hz and one.length >= 1 for one in self.seen)


def _of_demand(place: int, seen: Sequence[Seen]) -> _Bound:
    misses = [one.evidence.misses[place] for one in seen]
    low, high = _between([(one.rate_hz, each.said) for one, each in zip(seen, misses, strict=True)])
    text, allowed = misses[0].text, misses[0].allowed
    line = _line([one.rate_hz for one in seen], misses, allowed)
    if line is None or not low or not low * (1 - PRECISION) <= line.rate <= high * (1 + PRECISION):
        return _Bound(text, low, high, None, place=place)
    if not line.is_firm:
        return _Bound(text, low, high, None, line.rate, place)
    return _Bound(text, *line.between(_DEVIATES), line.rate, line.rate, place)


def _line(rates: Sequence[float], misses: Sequence[Misses], allowed: float) -> Crossing | None:
    points = [
        Point(rate, one.least, one.trials)
        for rate, one in zip(rates, misses, strict=True)
        if one.trials and allowed / _LOCAL <= one.least <= min(_SHARE_MAX, allowed * _LOCAL)
    ]
    return crossing(points, allowed)


def _between(said: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """The highest rate that is kept below all that fail, and the lowest that fails above all that are kept.

    Where chance has a rate fail that is below one that is kept, both lie between.
    """
    kept = [rate for rate, one in said if one == "keeps"]
    failed = [rate for rate, one in said if one == "fails"]
    low = max((rate for rate in kept if rate < min(failed, default=math.inf)), default=0.0)
    high = min((rate for rate in failed if rate > max(kept, default=0.0)), default=math.inf)
    return low, high


def _served(every: Sequence[Evidence]) -> Estimate | None:
    known = [(one.rate_hz, one.served_hz) for one in every if one.served_hz is not None]
    near = [served for rate, served in known if rate <= _NEAR * served.mean]
    if near:
        return pooled(near)
    return min(known, key=lambda one: one[0])[1] if known else None


def _bracket(state: _State, terms: Terms) -> list[Ask]:
    """Until one rate is kept and one fails."""
    rates = [one.rate_hz for one in state.seen]
    if not rates:
        return _asks([terms.first_hz, 2 * terms.first_hz], _BRACKET_LENGTH, "bracket", terms)
    low, high = state.interval
    if math.isinf(high):
        highest = max(rates)
        if highest < terms.highest_hz * (1 - 1e-9):
            return _asks([2 * highest, 4 * highest], _BRACKET_LENGTH, "bracket", terms)
        return [] if low >= highest * (1 - 1e-9) else _longer(state, highest)
    lowest = min(rates)
    if lowest > terms.lowest_hz * (1 + 1e-9):
        below = min(lowest, high)
        return _asks([below / 2, below / 4], _BRACKET_LENGTH, "bracket", terms)
    is_unsure = state.seen[rates.index(lowest)].evidence.said == "unsure"
    return _longer(state, lowest) if is_unsure else []


def _asks(rates: Sequence[float], length: float, purpose: Purpose, terms: Terms) -> list[Ask]:
    within = [min(terms.highest_hz, max(terms.lowest_hz, rate)) for rate in rates]
    return [Ask(rate, length, purpose) for rate in dict.fromkeys(within)]


def _longer(state: _State, rate_hz: float) -> list[Ask]:
    """The same rate with a longer run, unless the longest did not decide either."""
    tried = max((one.length for one in state.seen if math.isclose(one.rate_hz, rate_hz)), default=0.0)
    return [Ask(rate_hz, max(1.0, 2 * tried), "bracket")] if tried < _LONGEST else []


def _narrow(state: _State, terms: Terms) -> list[Ask]:
    """What is served, from overloads near it, unless a demand fails before; then the demand that leaves most open."""
    low, high = state.interval
    served = state.served
    if served is not None and not any(_fails_before(one, served) for one in state.demands):
        rates = [_JUST_BELOW * served.mean, *_overloads(state, served)]
        if not state.has_tried(0.8 * served.mean, served.mean):
            return _asks(rates[:2], 1.0, "narrow", terms)
        if not _is_served_known(state, served) and not any(_may_fail_before(one, served) for one in state.demands):
            return _asks(rates[1:], 1.0, "narrow", terms)
    if high <= low * (1 + PRECISION) / (1 - PRECISION):
        return []
    loosest = min(state.bounds, key=lambda one: one.low)
    if loosest is state.backlog and served is not None:
        return []
    limit = min(loosest.high, *(one.low for one in state.bounds if one is not loosest and one.middle is not None), high)
    return _narrow_demand(state, loosest, limit, terms)


def _overloads(state: _State, served: Estimate) -> list[float]:
    """Rates that keep all slots busy, above those of which full runs could not say so.

    An estimate from one early probe may be so low that its overloads are none.
    """
    unsure = max((one.rate_hz for one in state.seen if one.length >= 1 and one.evidence.growth != "fails"), default=0.0)
    return [times * max(served.mean, _BEYOND_UNSURE * unsure / _OVERLOADS[0]) for times in _OVERLOADS]


def _fails_before(bound: _Bound, served: Estimate) -> bool:
    """Whether a demand fails, or seems to, before the backlog grows."""
    return bound.high <= served.mean or (bound.hint is not None and bound.hint < _BEFORE * served.mean)


def _may_fail_before(bound: _Bound, served: Estimate) -> bool:
    """Whether a demand is not known to be kept as far as just below what is served: then it leaves more open."""
    return bound.low < _JUST_BELOW * (1 - PRECISION) * served.mean


def _is_served_known(state: _State, served: Estimate) -> bool:
    near = [one for one in state.seen if one.evidence.served_hz is not None and one.length >= 1]
    n_near = sum(one.rate_hz <= _NEAR * served.mean for one in near)
    return n_near >= 2 and served.half(CONFIDENCE) * _REPEAT <= PRECISION * served.mean


def _narrow_demand(state: _State, bound: _Bound, limit: float, terms: Terms) -> list[Ask]:
    if limit < bound.high and not state.has_tried(limit * (1 - PRECISION), limit):
        return _asks([limit, limit * (1 - PRECISION)], 1.0, "confirm", terms)
    if bound.hint is not None:
        look = min(limit, bound.hint)
        rates = [look * (1 - PRECISION), min(limit, look * (1 + PRECISION))]
        near = [one.length for one in state.seen if abs(one.rate_hz / look - 1) <= 2 * PRECISION]
        return _asks(rates, min(_LONGEST, 2 * max([1.0, *near])), "narrow", terms)
    unsure = [one.length for one in state.seen if bound.low < one.rate_hz < limit and _is_unsure(one, bound)]
    longest = max(unsure, default=0.5)
    if longest >= _LONGEST or limit <= bound.low * (1 + PRECISION):
        return []
    ratio = limit / bound.low
    steps = [1 / 2] if terms.at_once == 1 else [1 / 3, 2 / 3]
    return _asks([bound.low * ratio**step for step in steps], max(1.0, 2 * longest), "narrow", terms)


def _is_unsure(one: Seen, bound: _Bound) -> bool:
    said = one.evidence.growth if bound.place is None else one.evidence.misses[bound.place].said
    return said == "unsure"


def _confirm(state: _State) -> list[Ask]:
    """A run of its own at the lower end, where none has been made since the interval was found."""
    n_before = sum(one.purpose == "confirm" for one in state.seen)
    if state.confirmations or n_before >= _CONFIRMATIONS_MAX:
        return []
    return [Ask(state.interval[0], 1.0, "confirm")]
