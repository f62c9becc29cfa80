"""A phase of users, or a closed loop: when each place joins, and how long it stays empty after an end."""

import numpy as np

from smbench.errors import UsageError
from smbench.scenario.phases import REQUESTS_MAX, Closed, Stairs, Users, requests_max
from smbench.scenario.values.distributions import Think
from smbench.schedule.arrivals import too_many
from smbench.schedule.base import NOT_TIMED_NS, Drawn, Instants, span_of
from smbench.units import counted


def users(settings: Users | Stairs, rng: np.random.Generator) -> Drawn:
    """The places of one phase of users, its requests without an instant of their own.

    Raises:
        UsageError: there are too many requests for a run, or too few for the users.
    """
    joins_ns = tuple(map(span_of, settings.joins_s))
    n, n_users = requests_max(settings), len(joins_ns)
    if n > REQUESTS_MAX:
        raise too_many(n)
    if n < n_users:
        raise UsageError(f"{n:,} requests are not one for each of the {counted(n_users, 'user')}", "raise `requests`")
    return Drawn(
        np.full(n, NOT_TIMED_NS, dtype=np.int64),
        span_of(settings.length_s),
        f"{counted(n_users, 'user')}, each in a closed loop, for {settings.length_s:g} s",
        outstanding=n_users,
        joins_ns=joins_ns if any(joins_ns) else (),
        think_ns=_thinking(settings.think, n, rng),
    )


def closed(settings: Closed, rng: np.random.Generator) -> Drawn:
    """A closed loop, its requests without an instant of their own."""
    n, for_s = settings.requests, settings.for_s
    lasting = f", for {for_s:g} s" if for_s else ""
    return Drawn(
        np.full(n, NOT_TIMED_NS, dtype=np.int64),
        None if for_s is None else span_of(for_s),
        f"closed loop: {counted(n, 'request')}, {settings.outstanding} outstanding{lasting}",
        outstanding=settings.outstanding,
        think_ns=_thinking(settings.think, n, rng),
    )


def _thinking(think: Think, n: int, rng: np.random.Generator) -> Instants | None:
    """One pause for each of `n` ends."""
    if not think.mean_s:
        return None
    if think.exponential is not None:
        drawn_s = rng.exponential(think.exponential.mean, n)
    elif think.uniform is not None:
        drawn_s = rng.uniform(think.uniform.low, think.uniform.high, n)
    else:
        drawn_s = np.full(n, think.mean_s)
    return np.round(drawn_s * 1e9).astype(np.int64)
