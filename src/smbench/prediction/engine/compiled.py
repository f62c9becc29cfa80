"""The data plane with its loops compiled, where numba is installed: the same starts and ends, sooner."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smbench.prediction.engine.data_plane import LAST, NEVER, DataPlane, Requests

WORTH_IT_FROM = 20_000  # requests; for fewer, loading numba takes longer than it saves
_ROOM = 64  # instances at first

_NONE = np.zeros(0, dtype=np.int64)

Integers = NDArray[np.int64]


def is_available() -> bool:
    """Whether numba is installed; it is not imported to find out."""
    return find_spec("numba") is not None


class CompiledPlane(DataPlane):
    """As `DataPlane`, but for requests that lose their instance."""

    def __init__(self, requests: Requests, concurrency: int) -> None:
        super().__init__(requests, concurrency)
        from smbench.prediction.engine import (
            kernel,  # numba takes a second to load, which no other command should wait for
        )

        n = requests.n
        self._kernel: Any = kernel
        self._starts, self._places = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        self._ends = np.full(n, NEVER, dtype=np.int64)
        self._of_load = (
            np.ascontiguousarray(requests.arrivals_ns, dtype=np.int64),
            np.ascontiguousarray(requests.works_s, dtype=np.float64),
            np.ascontiguousarray(requests.durations_ns, dtype=np.int64),
            requests.ttl_ns,
            requests.timeout_s,
        )
        self._heads, self._tails = np.full(concurrency, -1, dtype=np.int64), np.full(concurrency, -1, dtype=np.int64)
        self._counts = np.zeros(7, dtype=np.int64)
        self._speeds, self._serving, self._loads = np.ones(0), np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._after, self._before = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._slots = tuple(np.zeros(0, np.int64) for _ in range(3))  # a heap: end, order and request of each
        self._grow(_ROOM)
        self._lent_from = 0

    def lend(self) -> tuple[Any, ...]:
        """The requests and slots as the arrays that `minutes.quiet` takes last; `take_back` must follow."""
        self._lent_from = self._enter()
        return (
            _NONE, *self._of_load, self._is_uniform, self._starts, self._ends, self._places, self._speeds,
            self._serving, self._loads, self._heads, self._tails, self._after, self._before, *self._slots, self._counts,
        )  # fmt: skip

    def take_back(self, now_ns: int, n_arrived: int, backlog: int, n_over: int) -> None:
        """Go on from where the loops stopped; `n_over` expired under way."""
        self._counts[self._kernel.N_OVER] = n_over
        self._leave(self._lent_from)
        self._now_ns, self._n_arrived, self.backlog = now_ns, n_arrived, backlog

    @property
    def n_arrived(self) -> int:
        """Up to now."""
        return self._n_arrived

    def _n_listed(self) -> int:
        return 0

    @property
    def is_over(self) -> bool:
        """Whether every request has ended."""
        return self._next == self._requests.n and not self._counts[self._kernel.N_HEAP]

    def add(self, instance: int, slowness: float) -> None:
        """An instance serves from now on."""
        if instance >= len(self._loads):
            self._grow(2 * instance)
        self.slowness += [1.0] * (instance + 1 - len(self.slowness))
        self.slowness[instance] = self._speeds[instance] = slowness
        self._serving[instance] = 1
        self._is_uniform = self._is_uniform and slowness == 1.0
        self._kernel.append(instance, 0, self._heads, self._tails, self._after, self._before)
        self._n_free += self._concurrency

    def remove(self, instance: int) -> None:
        """An instance begins nothing more."""
        self._serving[instance] = 0
        load = int(self._loads[instance])
        if load < self._concurrency:
            self._kernel.unlink(instance, load, self._heads, self._tails, self._after, self._before)
        self._n_free -= self._concurrency - load

    def running(self, instance: int) -> int:
        """How many requests it works on."""
        return int(self._loads[instance]) if instance < len(self._loads) else 0

    def drained_ns(self, instance: int) -> int:
        """When the last of them ends."""
        ends, _, requests = (each[: self._counts[self._kernel.N_HEAP]] for each in self._slots)
        return int(ends[self._places[requests] == instance].max())

    def dispatch(self) -> None:
        """Start what can start now."""
        if not self._n_free or self._next == self._n_arrived:
            return
        before = self._enter()
        self._kernel.dispatch(
            self._now_ns, self._n_arrived, *self._of_load, self._is_uniform,
            self._starts, self._ends, self._places, self._speeds, self._loads,
            self._heads, self._tails, self._after, self._before, *self._slots, self._counts,
        )  # fmt: skip
        self.backlog -= self._leave(before)

    def results(self) -> tuple[Integers, Integers, Integers]:
        """Start, end and instance of each request."""
        return self._starts, self._ends, self._places

    def _has_capacity(self) -> bool:
        return bool(self._serving.any())

    def _work(self, until_ns: int, order: int, ends_ns: list[int] | None) -> tuple[int, int]:
        before = self._enter()
        ends = np.zeros(0 if ends_ns is None else self._counts[self._kernel.N_HEAP], dtype=np.int64)
        self._kernel.work(
            until_ns, order, until_ns + (order == LAST), *self._of_load, self._is_uniform,
            self._starts, self._ends, self._places, self._speeds, self._serving, self._loads,
            self._heads, self._tails, self._after, self._before, *self._slots, self._counts, ends,
        )  # fmt: skip
        self._leave(before)
        n_ended = int(self._counts[self._kernel.N_ENDED])
        if ends_ns is not None:
            ends_ns += ends[:n_ended].tolist()
        return n_ended, n_ended * until_ns - int(self._counts[self._kernel.SLACK])

    def _end_waiting(self, request: int, at_ns: int) -> None:
        self._ends[request] = at_ns
        self.expired.add(request)

    def _enter(self) -> int:
        kernel, counts = self._kernel, self._counts
        counts[kernel.PLACE], counts[kernel.N_FREE], counts[kernel.N_ENTERED] = self._next, self._n_free, self.n_entered
        return self._next

    def _leave(self, before: int) -> int:
        """Take over what the loops counted; how many had expired, from the request that was next on."""
        kernel, counts = self._kernel, self._counts
        self._next, self._n_free = int(counts[kernel.PLACE]), int(counts[kernel.N_FREE])
        self.n_entered = int(counts[kernel.N_ENTERED])
        n_over = int(counts[kernel.N_OVER])
        if n_over:
            never_started = np.flatnonzero(self._starts[before : self._next] < 0) + before
            self.expired.update(never_started.tolist())
        return n_over

    def _grow(self, n: int) -> None:
        """Room for so many instances; what is there stays."""

        def longer(array: Any, length: int, fill: float) -> Any:
            found = np.full((length, *array.shape[1:]), fill, dtype=array.dtype)
            found[: len(array)] = array
            return found

        self._speeds, self._serving = longer(self._speeds, n, 1.0), longer(self._serving, n, 0)
        self._loads = longer(self._loads, n, 0)
        self._after, self._before = longer(self._after, n, -1), longer(self._before, n, -1)
        self._slots = tuple(longer(each, n * self._concurrency + 1, 0) for each in self._slots)
