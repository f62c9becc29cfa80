"""Requests and slots between two changes of capacity: one heap of the instants at which a slot is free again.

It gives each request the start, end and instance that `model.endpoint` gives it, without an object or an entry on the
event queue for each. `serve` works up to the next instant at which something else happens; what happens then (an
instance serves, leaves, loses its requests) is a call of its own. Instants are nanoseconds of the run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush, heapreplace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

LAST = 2**62  # a place in the order of one instant that follows every other
NEVER = 2**62


@dataclass(frozen=True)
class Requests:
    """The requests of a load, in order of acceptance; as arrays, and as lists for loops.

    Args:
        arrivals_ns: When each is accepted, ascending.
        works_s: How long it works on an instance of average speed.
        durations_ns: The same, cut at the time-out.
    """

    arrivals_ns: NDArray[np.int64]
    works_s: NDArray[np.float64]
    durations_ns: NDArray[np.int64]
    ttl_ns: int
    timeout_s: float

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.arrivals_ns)

    @cached_property
    def recv_ns(self) -> list[int]:
        """`arrivals_ns`."""
        found: list[int] = self.arrivals_ns.tolist()
        return found

    @cached_property
    def work_s(self) -> list[float]:
        """`works_s`."""
        found: list[float] = self.works_s.tolist()
        return found

    @cached_property
    def duration_ns(self) -> list[int]:
        """`durations_ns`."""
        found: list[int] = self.durations_ns.tolist()
        return found


class DataPlane:
    """The queue, the slots, and the backlog's integral.

    Attributes:
        start_ns: Of each request the last start; -1: it never started.
        done_ns: Of each request its end, known from its start on; NEVER: not known yet.
        instance: Where each started last; -1: nowhere.
        slowness: Of each instance: its service times over an average one's.
        expired, lost: Requests that waited too long; whose instance left without them.
        n_entered: The order in which things were entered for one instant; shared with the event queue.
        backlog: Accepted and not ended, now.
    """

    def __init__(self, requests: Requests, concurrency: int) -> None:
        self._requests, self._concurrency = requests, concurrency
        n = self._n_listed()
        self.start_ns, self.done_ns, self.instance = [-1] * n, [NEVER] * n, [-1] * n
        self.expired: set[int] = set()
        self.lost: set[int] = set()
        self.n_entered = 0
        self.backlog = 0
        self._now_ns = 0
        self._next = 0  # the first request that has never waited first in line
        self._n_arrived = 0  # up to now
        self._front: list[tuple[int, int]] = []  # request and expiry of those that lost their instance; next one last
        self._heap: list[tuple[int, int, int, int]] = []  # end, order, request, instance
        self.slowness: list[float] = []
        self._serves: list[bool] = []
        self._load: list[int] = []
        self._by_load: list[dict[int, None]] = [{} for _ in range(concurrency)]
        self._n_free = 0
        self._is_uniform = True

    def _n_listed(self) -> int:
        """How many requests have their places in lists."""
        return self._requests.n

    # Instances

    def add(self, instance: int, slowness: float) -> None:
        """An instance serves from now on; instances come with ascending numbers, some of which may never serve."""
        missing = instance + 1 - len(self._load)
        self.slowness += [1.0] * missing
        self._serves += [False] * missing
        self._load += [0] * missing
        self.slowness[instance], self._serves[instance] = slowness, True
        self._is_uniform = self._is_uniform and slowness == 1.0
        self._by_load[0][instance] = None
        self._n_free += self._concurrency

    def remove(self, instance: int) -> None:
        """An instance begins nothing more."""
        self._serves[instance] = False
        load = self._load[instance]
        if load < self._concurrency:
            del self._by_load[load][instance]
        self._n_free -= self._concurrency - load

    def running(self, instance: int) -> int:
        """How many requests it works on."""
        return self._load[instance] if instance < len(self._load) else 0

    def drained_ns(self, instance: int) -> int:
        """When the last of them ends, if nothing intervenes."""
        return max(item[0] for item in self._heap if item[3] == instance)

    def orphan(self, instance: int, *, redeliver: bool) -> None:
        """Take the requests from an instance: back to the front of the queue in order of acceptance, or over."""
        orphans = sorted(item[2] for item in self._heap if item[3] == instance)
        self._heap = [item for item in self._heap if item[3] != instance]
        heapify(self._heap)
        if instance < len(self._load):  # else it was removed before it served
            self._load[instance] = 0
        if not redeliver:
            self.lost.update(orphans)
            self.backlog -= len(orphans)
            for request in orphans:
                self.done_ns[request] = self._now_ns
            return
        recv_ns, ttl_ns = self._requests.recv_ns, self._requests.ttl_ns
        for request in reversed(orphans):
            self.done_ns[request] = NEVER
            self._front.append((request, max(recv_ns[request] + ttl_ns, self._now_ns)))

    # Time

    @property
    def is_over(self) -> bool:
        """Whether every request has ended."""
        return self._next == self._requests.n and not self._heap and not self._front

    def dispatch(self) -> None:
        """Start what can start now."""
        now_ns, recv_ns, ttl_ns = self._now_ns, self._requests.recv_ns, self._requests.ttl_ns
        while self._n_free:
            if self._front:
                request, expires_ns = self._front.pop()
            elif self._next < self._n_arrived:
                request = self._next
                expires_ns = recv_ns[request] + ttl_ns
                self._next += 1
            else:
                return
            if now_ns >= expires_ns:
                self._expire(request, expires_ns)
            else:
                self._start(request)

    def serve(self, until_ns: int, order: int) -> tuple[int, int]:
        """Work up to an instant, and at it up to what was entered before `order`; requests of that instant only
        where it is LAST.

        Returns:
            The integral of the backlog in request-nanoseconds, and for how many of them there was a backlog at all,
            the latter only where no instance served.
        """
        begin_ns, before, n_arrived = self._now_ns, self.backlog, self._n_arrived
        side: Literal["left", "right"] = "right" if order == LAST else "left"
        arrived = int(np.searchsorted(self._requests.arrivals_ns, until_ns, side=side))
        ends_ns: list[int] | None = None if self._n_free or self._has_capacity() else []
        n_ended, sum_ended_ns = self._work(until_ns, order, ends_ns)
        n_expired, sum_expired_ns = self._expire_waiting(until_ns, arrived, ends_ns)
        n_ended, sum_ended_ns = n_ended + n_expired, sum_ended_ns + sum_expired_ns
        arrivals_ns = self._requests.arrivals_ns[n_arrived:arrived]
        span_ns = until_ns - begin_ns
        area = before * span_ns - (n_ended * until_ns - sum_ended_ns)
        if len(arrivals_ns):
            area += int((until_ns - arrivals_ns).sum())
        self.backlog = before + len(arrivals_ns) - n_ended
        self._now_ns, self._n_arrived = until_ns, arrived
        some_ns = 0 if ends_ns is None else _time_above_zero(before, begin_ns, until_ns, arrivals_ns, ends_ns)
        return area, some_ns

    def results(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """`start_ns`, `done_ns` and `instance` as arrays."""
        return tuple(np.array(one, dtype=np.int64) for one in (self.start_ns, self.done_ns, self.instance))  # type: ignore[return-value]

    def _has_capacity(self) -> bool:
        return any(self._serves)

    def _end_waiting(self, request: int, at_ns: int) -> None:
        self.done_ns[request] = at_ns
        self.expired.add(request)

    def _start(self, request: int) -> None:
        """Into a slot of the serving instance with the fewest running; of those the longest at that load."""
        load, instance = self._take()
        self._by_load[load].pop(instance)
        load += 1
        self._load[instance] = load
        if load < self._concurrency:
            self._by_load[load][instance] = None
        self._n_free -= 1
        now_ns = self._now_ns
        end_ns = now_ns + self._duration_ns(request, instance)
        self.start_ns[request], self.done_ns[request], self.instance[request] = now_ns, end_ns, instance
        self.n_entered += 1
        heappush(self._heap, (end_ns, self.n_entered, request, instance))

    def _take(self) -> tuple[int, int]:
        for load, instances in enumerate(self._by_load):
            if instances:
                return load, next(iter(instances))
        raise AssertionError("there is a free slot")

    def _duration_ns(self, request: int, instance: int) -> int:
        if self._is_uniform:
            return self._requests.duration_ns[request]
        duration_s = self._requests.work_s[request] * self.slowness[instance]
        return round(min(duration_s, self._requests.timeout_s) * 1e9)

    def _expire(self, request: int, at_ns: int) -> None:
        self._end_waiting(request, at_ns)
        self.backlog -= 1

    def _expire_waiting(self, until_ns: int, arrived: int, ends_ns: list[int] | None) -> tuple[int, int]:
        """Those whose time to live is over by now, wherever they wait; how many, and the sum of those instants."""
        over: list[tuple[int, int]] = [item for item in self._front if item[1] <= until_ns]
        if over:
            self._front = [item for item in self._front if item[1] > until_ns]
        arrivals_ns, ttl_ns = self._requests.arrivals_ns, self._requests.ttl_ns
        while self._next < arrived and (expires_ns := int(arrivals_ns[self._next]) + ttl_ns) <= until_ns:
            over.append((self._next, expires_ns))
            self._next += 1
        for request, expires_ns in over:
            self._end_waiting(request, expires_ns)
            if ends_ns is not None:
                ends_ns.append(expires_ns)
        return len(over), sum(expires_ns for _, expires_ns in over)

    def _first_waiting(self, now_ns: int, place: int) -> tuple[int, int, int, int]:
        """The first that waits and has not expired, -1: none; the place after it; how many had expired, and when."""
        n_expired = sum_expired_ns = 0
        while True:
            if self._front:
                request, expires_ns = self._front.pop()
            elif place < self._requests.n and self._requests.recv_ns[place] < now_ns:
                request, expires_ns = place, self._requests.recv_ns[place] + self._requests.ttl_ns
                place += 1
            else:
                return -1, place, n_expired, sum_expired_ns
            if now_ns < expires_ns:
                return request, place, n_expired, sum_expired_ns
            self.done_ns[request] = expires_ns
            self.expired.add(request)
            n_expired, sum_expired_ns = n_expired + 1, sum_expired_ns + expires_ns

    def _work(self, until_ns: int, order: int, ends_ns: list[int] | None) -> tuple[int, int]:
        """Ends and starts in order of time; returns how many ended, and the sum of those instants."""
        # Every request passes here, so nothing is looked up twice and nothing is called that can be written out.
        requests = self._requests
        recv_ns, work_s, duration_ns = requests.recv_ns, requests.work_s, requests.duration_ns
        ttl_ns, timeout_s = requests.ttl_ns, requests.timeout_s
        heap, front, by_load, serves, loads = self._heap, self._front, self._by_load, self._serves, self._load
        start_ns, done_ns, instance_of = self.start_ns, self.done_ns, self.instance
        slowness, is_uniform, full, n = self.slowness, self._is_uniform, self._concurrency, len(recv_ns)
        place, n_free, n_entered, n_ended, sum_ended_ns = self._next, self._n_free, self.n_entered, 0, 0
        arrivals_until_ns = until_ns + (order == LAST)
        push: Callable[[list[tuple[int, int, int, int]], tuple[int, int, int, int]], object]
        while True:
            arrival_ns = recv_ns[place] if place < n else NEVER
            if heap and (not n_free or heap[0][0] <= arrival_ns):
                now_ns, entered, request, instance = heap[0]
                if now_ns > until_ns or (now_ns == until_ns and entered >= order):
                    break
                n_ended += 1
                sum_ended_ns += now_ns
                if ends_ns is not None:
                    ends_ns.append(now_ns)
                request = -1
                if not n_free and serves[instance]:  # the slot's next is the first that waits
                    if front or arrival_ns + ttl_ns <= now_ns:
                        request, place, n_over, sum_over_ns = self._first_waiting(now_ns, place)
                        n_ended, sum_ended_ns = n_ended + n_over, sum_ended_ns + sum_over_ns
                    elif arrival_ns < now_ns:
                        request = place
                        place += 1
                if request < 0:
                    heappop(heap)
                    load = loads[instance]
                    loads[instance] = load - 1
                    if serves[instance]:
                        n_free += 1
                        if load < full:
                            del by_load[load][instance]
                        by_load[load - 1][instance] = None
                    continue
                push = heapreplace
            elif n_free and arrival_ns < arrivals_until_ns:
                now_ns, request = arrival_ns, place
                place += 1
                n_free -= 1
                load = 0
                while not by_load[load]:
                    load += 1
                instance = next(iter(by_load[load]))
                del by_load[load][instance]
                load += 1
                loads[instance] = load
                if load < full:
                    by_load[load][instance] = None
                push = heappush
            else:
                break
            if is_uniform:
                end_ns = now_ns + duration_ns[request]
            else:
                duration_s = work_s[request] * slowness[instance]
                end_ns = now_ns + round((timeout_s if duration_s > timeout_s else duration_s) * 1e9)  # noqa: FURB136  # twice as fast as min()
            start_ns[request], done_ns[request], instance_of[request] = now_ns, end_ns, instance
            n_entered += 1
            push(heap, (end_ns, n_entered, request, instance))
        self._next, self._n_free, self.n_entered = place, n_free, n_entered
        return n_ended, sum_ended_ns


def _time_above_zero(
    level: int, begin_ns: int, until_ns: int, arrivals_ns: NDArray[np.int64], ends_ns: list[int]
) -> int:
    """For how long a level is above zero that each arrival raises by one and each end lowers."""
    if level > len(ends_ns):
        return until_ns - begin_ns
    changes = sorted([*((at_ns, 1) for at_ns in arrivals_ns.tolist()), *((at_ns, -1) for at_ns in ends_ns)])
    above_ns, since_ns = 0, begin_ns
    for at_ns, change in [*changes, (until_ns, 0)]:
        if level > 0:
            above_ns += at_ns - since_ns
        since_ns = at_ns
        level += change
    return above_ns
