"""How much alike the latencies of a queue are: what a sample of them is worth in independent ones.

A sample that is short against the queue's memory does not show how long that memory is: the queue stayed where it was
while one looked. So the memory is not estimated from the latencies alone. It follows from how busy the slots were, from
how much gaps and services vary, and from the number of slots. Source: docs/methods.md#intervals.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

UTILISATION_MAX = 0.99  # above it the queue may grow without limit, and has no steady percentiles
_SERVICES_MIN = 10  # of requests that found a slot free: with fewer their law is not known
_SERVICES_KEPT = 100
_TAIL = 1e-9  # of the likeliest state: rarer ones are left out, where rounding errors would count for more than they do
_HALVINGS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Congestion:
    """How busy `n_slots` slots were that requests take in order, and how much work and arrivals vary.

    `services` are quantiles of the service time at even steps, ascending, in units of its mean.
    """

    n: int  # requests seen
    n_slots: int
    utilisation: float
    gaps_scv: float  # squared coefficient of variation of the gaps between arrivals: 1 for a Poisson process
    service_scv: float
    services: Values

    @classmethod
    def of(cls, arrived_s: Values, ended_s: Values, n_slots: int) -> Self | None:
        """Between the first and the last arrival, ascending; an end may be infinite. None where that is no time."""
        n, length_s = len(arrived_s), float(arrived_s[-1] - arrived_s[0]) if len(arrived_s) else 0.0
        if length_s <= 0:
            return None
        gaps_s = np.diff(arrived_s)
        busy_s = _busy_s(arrived_s, ended_s, n_slots)
        services = _services(arrived_s, ended_s, n_slots)
        return cls(
            n=n,
            n_slots=n_slots,
            utilisation=busy_s / (n_slots * length_s),
            gaps_scv=float(gaps_s.var() / gaps_s.mean() ** 2),
            service_scv=float(services.var()),
            services=np.quantile(services, (np.arange(_SERVICES_KEPT) + 0.5) / _SERVICES_KEPT),
        )

    @property
    def variability(self) -> float:
        """1 for M/M/c: waits are longer, and last longer, by this factor (Kingman; Allen and Cunneen)."""
        return (self.gaps_scv + self.service_scv) / 2

    def raised(self, errors: float) -> float:
        """The utilisation plus so many of its own standard errors."""
        return self.utilisation * (1 + errors * math.sqrt(2 * self.variability / self.n))

    def memory(self, utilisation: float) -> float:
        """How many requests pass until the queue has forgotten where it was; infinite for slots that never rest."""
        if utilisation >= 1:
            return math.inf
        relaxation = 4 * utilisation * self.variability / (1 - utilisation) ** 2
        return max(1.0, relaxation, self.n_slots * utilisation)

    def inflation(self, share: float, utilisation: float) -> float:
        """By how much the variance of the share of latencies below their `share`-quantile exceeds independent ones'.

        Whitt's asymptotic variance of a birth-and-death process, for the chance that a request which finds j in the
        system takes longer than the quantile; and what a request whose own service is long does to those after it.
        `utilisation` is below 1; with 0 nothing depends on anything.
        """
        if utilisation <= 0 or not self.variability:
            return 1.0
        likely, slowed, wait = self._states(utilisation)
        longer, own = self._longer(likely, wait, share)
        centred = longer - float(likely @ longer)
        # What is still to come of `centred` from state j + 1 beyond that from j, in arrivals.
        step = np.append(-np.cumsum(likely * centred)[:-1] / likely[:-1], 0.0)
        covariance = float(np.sum(likely * step * (step * slowed + centred + own)))
        return max(1.0, 1 + 2 * covariance / (share * (1 - share)))

    def _states(self, utilisation: float) -> tuple[Values, Values, Values]:
        """Of each number in the system: its likelihood, how much slower it changes than M/M/c's, the wait it means."""
        beyond = math.ceil(math.log(_TAIL) / math.log(utilisation)) + 1
        inside = np.arange(self.n_slots + beyond)
        offered = self.n_slots * utilisation
        steps = math.log(offered) - np.log(np.minimum(inside[1:], self.n_slots))
        logs = np.concatenate([[0.0], np.cumsum(steps)])
        logs -= logs.max()
        # With many slots for little load even the state in which all are busy may be left out.
        kept = logs > math.log(_TAIL)
        inside, likely = inside[kept], np.exp(logs[kept])
        waiting = (inside - self.n_slots + 1).clip(0)
        slowed = np.where(waiting > 0, self.variability, 1.0)
        return likely / likely.sum(), slowed, waiting / self.n_slots * self.variability

    def _longer(self, likely: Values, wait: Values, share: float) -> tuple[Values, Values]:
        """For each state, the chance of a latency above the quantile; and that times how much longer than the mean the
        services then are, so by how much more work such requests leave to those after them."""

        def above(latency: float) -> Values:
            chances: Values = 1 - np.searchsorted(self.services, latency - wait, side="right") / len(self.services)
            return chances

        low, high = 0.0, float(wait[-1] + self.services[-1])
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if float(likely @ above(middle)) > 1 - share else (low, middle)
        longer_by = np.append(np.cumsum((self.services - 1)[::-1])[::-1], 0.0) / len(self.services)
        return above(high), longer_by[np.searchsorted(self.services, high - wait, side="right")]


def found_inside(arrived_s: Values, ended_s: Values) -> Values:
    """How many were in the system when each came; `arrived_s` ascending."""
    n_ended = np.searchsorted(np.sort(ended_s), arrived_s, side="right")
    return np.arange(len(arrived_s), dtype=np.float64) - n_ended


def _busy_s(arrived_s: Values, ended_s: Values, n_slots: int) -> float:
    """Slot-seconds worked up to the last arrival: as many slots are busy as requests are there, and at most all."""
    at_s = np.concatenate([arrived_s, np.minimum(ended_s, arrived_s[-1])])
    change = np.concatenate([np.ones(len(arrived_s)), -np.ones(len(ended_s))])
    order = np.argsort(at_s, kind="stable")
    inside = np.cumsum(change[order])[:-1]
    return float(np.minimum(inside, n_slots) @ np.diff(at_s[order]))


def _services(arrived_s: Values, ended_s: Values, n_slots: int) -> Values:
    """Those of requests that found a slot free, over their mean; exponential ones where too few did."""
    takes_s = (ended_s - arrived_s)[found_inside(arrived_s, ended_s) < n_slots]
    takes_s = takes_s[np.isfinite(takes_s)]
    if len(takes_s) < _SERVICES_MIN or not takes_s.mean() > 0:
        takes_s = -np.log1p(-(np.arange(_SERVICES_KEPT) + 0.5) / _SERVICES_KEPT)
    services: Values = takes_s / takes_s.mean()
    return services
