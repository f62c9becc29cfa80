"""Several replications of one prediction as a band: the median of each metric, and its 5th and 95th percentile."""

import math
from collections.abc import Mapping, Sequence

from smbench.analysis.comparison.run_metrics import RUN_METRICS
from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.ordered import chance_between, of_next
from smbench.results.manifest import Band

LOW, HIGH = 0.05, 0.95


def bands(replications: Sequence[Mapping[str, Bounded]]) -> tuple[Band, ...]:
    """The band of each metric that some replication has, in the order of `compare`'s metrics.

    A replication in which a metric is only known to be more than something counts as above all known values.
    """
    found = []
    for metric in RUN_METRICS:
        values = [_certain(one[metric]) for one in replications if metric in one]
        if values:
            found.append(band(metric, values))
    return tuple(found)


def band(metric: str, values: Sequence[float]) -> Band:
    """Of one metric: where the next replication would lie, as likely as not below `median`, at 90 % within the others.

    Args:
        values: One a replication, infinite where it has no bound; not empty.
    """
    in_order = sorted(values)
    median, low, high = (_finite(of_next(in_order, share)) for share in (0.5, LOW, HIGH))
    return Band(metric=metric, n=len(values), median=median, low=low, high=high)


def share_of(bands: Sequence[Band]) -> float:
    """How likely the next replication lies within such a band, the least of all; 0 where there is none."""
    return min((chance_between(one.n, LOW, HIGH) for one in bands), default=0.0)


def quantile(ascending: Sequence[float], share: float) -> float:
    """By the inverse ECDF: the value of one replication."""
    return ascending[max(0, math.ceil(share * len(ascending) - 1e-9) - 1)]


def _certain(figure: Bounded) -> float:
    return math.inf if figure.value is None else figure.value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
