"""Queues of many slots served in order of arrival, many at once: one step of numpy moves all of them by a request."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class System:
    """M/G/c with a mean service of one second. `cv` is that of the lognormal service; None: exponential."""

    servers: int
    utilisation: float
    cv: float | None = None

    @property
    def name(self) -> str:
        return f"M/{'M' if self.cv is None else 'G'}/{self.servers}"

    @property
    def arrival_hz(self) -> float:
        return self.servers * self.utilisation


def simulated(
    system: System, n: int, replications: int, seed: int, *, from_empty: bool = False
) -> tuple[Values, Values]:
    """Instants of arrival and times in the system, seconds, each `replications` by `n`.

    By Kiefer and Wolfowitz's recursion: a request takes the slot with the least work. Unless `from_empty`, what comes
    before the first is twenty times the longest memory of the queue.
    """
    rng = np.random.default_rng([seed, n, system.servers, round(1000 * system.utilisation)])
    before = 0 if from_empty else math.ceil(max(200, 20 * 4 * system.utilisation / (1 - system.utilisation) ** 2))
    gaps_s = rng.exponential(1 / system.arrival_hz, (before + n, replications))
    services_s = _services(system, rng, (before + n, replications))
    takes_s = np.empty_like(gaps_s)
    work_s, all_of_them = np.zeros((system.servers, replications)), np.arange(replications)
    for k, gap_s in enumerate(gaps_s):
        np.maximum(work_s - gap_s, 0.0, out=work_s)
        least = work_s.argmin(axis=0)
        takes_s[k] = work_s[least, all_of_them] + services_s[k]
        work_s[least, all_of_them] = takes_s[k]
    arrived_s = np.cumsum(gaps_s, axis=0)
    return np.ascontiguousarray(arrived_s[before:].T), np.ascontiguousarray(takes_s[before:].T)


def _services(system: System, rng: np.random.Generator, shape: tuple[int, int]) -> Values:
    if system.cv is None:
        return rng.exponential(1.0, shape)
    variance = math.log1p(system.cv**2)
    services_s: Values = rng.lognormal(-variance / 2, math.sqrt(variance), shape)
    return services_s
