"""How much an endpoint's instances differ in speed: although no notice says which of them served a request.

A request that waited began at the very instant at which another ended: it took the slot that this one freed, and both
ran on the same instance. Such links make chains. A chain is one slot for as long as there is a backlog; it begins with
an instance, or with a request that found a slot free, which is not known. Where two slots became free within the same
instant (AWS stamps whole milliseconds), the chain ends: nothing is guessed.

A slow instance does everything more slowly by the same factor, so the logarithm of a service is that of the work plus
that of the slot's slowness: a model of one random effect. What all slots had in common at a time, as a drift of the
service, other payloads, or instances that came and went, is taken out first: time is cut into blocks of a few
services, and a request counts by how far it is from the mean of those that began in its block. So chains are compared
only with chains that ran at the same time. A block takes requests by their begin: the number a chain has in it is then
a stopping time of that chain, and by Wald's identities the sum of its deviations has the mean and the variance it would
have, were that number fixed.

Sources: Kruskal and Wallis 1952, on deviations from blocks (Hodges and Lehmann 1962); Searle, Casella and McCulloch
1992, chapter 3 (the variance between groups).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.capacity.slots import Slots
from smbench.analysis.numbers.chi_square import noncentrality, p_above
from smbench.records import Unknown

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

ALPHA = 0.001  # every run is looked at: one in a thousand may raise a false alarm
CHAIN_MIN = 10  # requests: with fewer a mean of logarithms is not yet near normal
# Mean services in a block. With eight, chance was found too often where the service tripled within fifty of them.
BLOCK_SERVICES = 4
_STAMP_NS = 1_000_000  # a service shorter than what stamps can tell is taken to be that long
_NORMAL_975 = 1.959963985
_ALIKE = 1e-4  # of a service: stamps tell less of one below ten seconds
_EXPECTED_MIN = 0.5  # two chains side by side come to nearly 1, two that hardly met to nearly 0
_VARIANCE_MIN = 1e-12  # of services that do not vary at all, which stamps cannot tell


class HostSpread(BaseModel):
    """How much slots that worked at the same time differ in speed; those of one host share its speed.

    The interval is of the slots that were followed in this run, not of all the instances AWS might have given. Where
    slots are not taken up as soon as they are free, links go astray, and all of it is too small.
    """

    model_config = ConfigDict(frozen=True)

    n_chains: int  # times a slot was followed
    n_requests: int  # on them
    share: float  # standard deviation of the logarithm of slowness, over requests: 0.2 is a fifth; 0: none found
    share_low: float  # 95 % interval
    share_high: float
    p: float  # how likely slots that are equally fast would look this different, by ranks
    slowest: float  # the slowest chain's service over the mean of its time, drawn to 1 as far as it may be chance
    fastest: float
    slowest_at_s: float  # when the slowest chain began

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the slots differ at the level `ALPHA`."""
        return self.p < ALPHA


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """The requests that are compared: on long chains, in blocks with more than one. Both numbered without gaps."""

    chain: Places
    block: Places
    service_ns: Places
    began_ns: Places

    def means_of_blocks(self, values: Values) -> Values:
        """For each request the mean of its block."""
        means: Values = (np.bincount(self.block, values) / np.bincount(self.block))[self.block]
        return means


@dataclass(frozen=True, slots=True, eq=False)
class _Between:
    """What lies between chains, of one value a request, as deviations from the mean of its block."""

    deviations: Values  # the mean of each chain's
    n: Places  # requests on each
    squares: float  # the sum of the chains' squares, a request counting once
    within: float  # the variance of a request about its block and chain
    total: float  # about its block alone


def host_spread(reconstructed: Slots | Unknown, capacity: Capacity | Unknown) -> HostSpread | Unknown:
    """The spread, or why it is not known: a clause for a person."""
    if isinstance(reconstructed, Unknown):
        return reconstructed
    if isinstance(capacity, Unknown):
        return capacity
    if capacity.serving.max() < 2:
        return Unknown("no two instances served at the same time: there is nothing to compare")
    has_waited = reconstructed.began_ns > reconstructed.arrived_ns
    if not reconstructed.is_ordered[has_waited].any() and has_waited.any():
        return Unknown(
            "the requests that waited were received at the same instant, to AWS's millisecond: which of them took "
            "which slot is not known"
        )
    if not (reconstructed.follows >= 0).any():
        return Unknown(
            "no request that waited can be followed to the slot it took, and one that finds slots free may take any"
        )
    found = _followed(reconstructed, capacity)
    if found is None or (expected := _expected(found)) < _EXPECTED_MIN:
        return Unknown(f"no two slots could be followed at the same time over {CHAIN_MIN} requests each")
    log_service = np.log(found.service_ns)
    deviations = log_service - found.means_of_blocks(log_service)
    ranks = _ranks(deviations)
    logs = _between(deviations, found, expected)
    by_rank = _between(ranks - found.means_of_blocks(ranks), found, expected)
    return _spread(found, logs, by_rank, expected)


def chains(follows: Places) -> Places:
    """For each request the place of the one that its chain began with."""
    first = np.where(follows >= 0, follows, np.arange(len(follows)))
    while not np.array_equal(further := first[first], first):  # each round looks back twice as far
        first = further
    return first


def _followed(reconstructed: Slots, capacity: Capacity) -> _Followed | None:
    chosen = reconstructed.is_sharp & reconstructed.is_ordered & reconstructed.is_measured & reconstructed.is_completed
    rows = np.flatnonzero(chosen & (capacity.serving_at(reconstructed.began_ns) > 1))
    chain = chains(reconstructed.follows)
    rows = rows[_is_long(chain[rows])]
    if not len(rows):
        return None
    service_ns = (reconstructed.ended_ns - reconstructed.began_ns).clip(_STAMP_NS)
    began_ns = reconstructed.began_ns - reconstructed.began_ns[rows].min()
    width_ns = BLOCK_SERVICES * int(service_ns[rows].sum()) // len(rows)
    rows = rows[_has_company(chain[rows], _numbered(began_ns[rows] // width_ns))]
    rows = rows[_is_long(chain[rows])]
    if not len(rows):
        return None
    return _Followed(
        _numbered(chain[rows]), _numbered(began_ns[rows] // width_ns), service_ns[rows], reconstructed.began_ns[rows]
    )


def _is_long(chain: Places) -> npt.NDArray[np.bool_]:
    is_long: npt.NDArray[np.bool_] = np.bincount(chain)[chain] >= CHAIN_MIN
    return is_long


def _has_company(chain: Places, block: Places) -> npt.NDArray[np.bool_]:
    """Whether another chain has requests in the same block."""
    any_of_block = np.empty(int(block.max()) + 1, dtype=np.int64)
    any_of_block[block] = chain
    has_company: npt.NDArray[np.bool_] = (np.bincount(block, chain != any_of_block[block]) > 0)[block]
    return has_company


def _numbered(values: Places) -> Places:
    """Other numbers for the same: from 0, ascending, none left out."""
    numbers: Places = (np.cumsum(np.bincount(values) > 0) - 1)[values]
    return numbers


def _ranks(values: Values) -> Values:
    """From 1; those equal to `_ALIKE` share the mean of their ranks."""
    rounded = np.rint((values - values.min()) / _ALIKE).astype(np.int64)
    n = np.bincount(rounded)  # and no sorting, which costs more than all the rest
    ranks: Values = (np.cumsum(n) - (n - 1) / 2)[rounded]
    return ranks


def _expected(found: _Followed) -> float:
    """The squares of chains' mean deviations, a request counting once, in variances of a request, were all alike.

    Such a square is 1 / n less the sum of m^2 / (n^2 b) over the chain's blocks, with m of its n requests among the
    block's b: the mean that a deviation is taken from is partly its own.
    """
    n, n_of_block = np.bincount(found.chain), np.bincount(found.block)
    pairs, m = np.unique(found.chain * len(n_of_block) + found.block, return_counts=True)
    chain, block = np.divmod(pairs, len(n_of_block))
    return len(n) - float(np.sum(m**2 / (n[chain] * n_of_block[block])))


def _between(deviations: Values, found: _Followed, expected: float) -> _Between:
    n = np.bincount(found.chain)
    of_chains = np.bincount(found.chain, deviations) / n
    squares, all_squares = float(np.sum(n * of_chains**2)), float(np.sum(deviations**2))
    degrees = len(deviations) - int(found.block.max()) - 1
    return _Between(
        deviations=of_chains,
        n=n,
        squares=squares,
        within=(all_squares - squares) / (degrees - expected),
        total=all_squares / degrees,
    )


def _spread(found: _Followed, logs: _Between, ranks: _Between, expected: float) -> HostSpread:
    n_requests, noise = len(found.chain), max(logs.within, _VARIANCE_MIN)
    ratio = logs.squares / noise
    low, high = (
        math.sqrt(noncentrality(ratio, expected, at) * noise / n_requests) for at in (_NORMAL_975, -_NORMAL_975)
    )
    share = math.sqrt(max(0.0, ratio - expected) * noise / n_requests)
    # Best linear prediction: a chain's mean is drawn to that of all by how much of it is likely chance.
    slowness = np.exp(logs.deviations * share**2 / (share**2 + noise / logs.n))
    slowest = int(slowness.argmax())
    return HostSpread(
        n_chains=len(logs.n),
        n_requests=n_requests,
        share=share,
        share_low=min(low, share),
        share_high=max(high, share),
        p=p_above(ranks.squares / max(ranks.total, _VARIANCE_MIN), expected),
        slowest=float(slowness[slowest]),
        fastest=float(slowness.min()),
        slowest_at_s=int(found.began_ns[found.chain == slowest].min()) / 1e9,
    )
