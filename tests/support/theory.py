"""Queueing theory as far as it checks us: closed forms that the model, the emulator and a run are held against."""

import math


def erlang_b(servers: int, offered_erlang: float) -> float:
    """The share of arrivals that find every server taken when nobody may wait.

    By the recursion B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)), which never overflows.
    """
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered_erlang * blocked / (n + offered_erlang * blocked)
    return blocked


def erlang_c(servers: int, offered_erlang: float) -> float:
    """The share of arrivals that must wait in an M/M/c queue; 1 from saturation on.

    C = B / (1 - rho (1 - B)), rho = a / c the utilisation.
    """
    if offered_erlang >= servers:
        return 1.0
    blocked = erlang_b(servers, offered_erlang)
    return blocked / (1 - offered_erlang / servers * (1 - blocked))


def mmc_wait_mean_s(servers: int, arrival_hz: float, service_mean_s: float) -> float:
    """Mean waiting time of M/M/c, those who do not wait included; infinite from saturation on.

    W = C(c, a) s / (c - a), a = arrival rate times mean service time in erlang.
    """
    offered_erlang = arrival_hz * service_mean_s
    if offered_erlang >= servers:
        return math.inf
    return erlang_c(servers, offered_erlang) * service_mean_s / (servers - offered_erlang)


def mmc_wait_quantile_s(servers: int, arrival_hz: float, service_mean_s: float, share: float) -> float:
    """The waiting time that this share of M/M/c arrivals does not exceed.

    P(W > t) = C exp(-(c - a) t / s), with an atom 1 - C at zero.
    """
    offered_erlang = arrival_hz * service_mean_s
    if offered_erlang >= servers:
        return math.inf
    waiting = erlang_c(servers, offered_erlang)
    if share <= 1 - waiting:
        return 0.0
    return math.log(waiting / (1 - share)) * service_mean_s / (servers - offered_erlang)


def mmc_sojourn_quantile_s(servers: int, arrival_hz: float, service_mean_s: float, share: float) -> float:
    """The time from arrival to end that this share of M/M/c requests does not exceed; infinite from saturation on.

    The wait is 0 with probability 1 - C and else exponential with rate (c - a) / s; the service is exponential, and
    independent of it. By bisection: P(T > t) falls.
    """
    offered_erlang = arrival_hz * service_mean_s
    if offered_erlang >= servers:
        return math.inf
    waiting, spare = erlang_c(servers, offered_erlang), servers - offered_erlang

    def longer(t: float) -> float:
        if math.isclose(spare, 1.0, rel_tol=1e-9):
            return math.exp(-t) * (1 + waiting * t)
        both = (spare * math.exp(-t) - math.exp(-spare * t)) / (spare - 1)
        return (1 - waiting) * math.exp(-t) + waiting * both

    low, high = 0.0, 1.0
    while longer(high) > 1 - share:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if longer(middle) > 1 - share else (low, middle)
    return high * service_mean_s


def mg1_wait_mean_s(arrival_hz: float, service_mean_s: float, service_cv: float) -> float:
    """Mean waiting time of M/G/1 (Pollaczek and Khinchine); infinite from saturation on.

    W = rho s (1 + cv^2) / (2 (1 - rho)), cv the coefficient of variation of the service time.
    """
    utilisation = arrival_hz * service_mean_s
    if utilisation >= 1:
        return math.inf
    return utilisation * service_mean_s * (1 + service_cv**2) / (2 * (1 - utilisation))


def little_backlog(arrival_hz: float, sojourn_mean_s: float) -> float:
    """The mean number in a system, of whatever kind: L = lambda W."""
    return arrival_hz * sojourn_mean_s


def ddc_burst_sojourns_s(n: int, servers: int, service_s: float) -> list[float]:
    """Sojourn of each of `n` simultaneous requests, in order, when every service takes equally long.

    The k-th (from 0) is served in round k // c: its sojourn is (k // c + 1) s.
    """
    return [(k // servers + 1) * service_s for k in range(n)]


def drain_bound_s(backlog: float, servers: int, service_mean_s: float) -> float:
    """No fleet of this size empties a backlog faster, nobody else arriving: B s / c."""
    return backlog * service_mean_s / servers if servers else math.inf
