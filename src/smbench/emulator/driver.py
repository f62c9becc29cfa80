"""Drives the event queue by the run's clock: what is due happens on time, and before any call is answered."""

import asyncio

import anyio

from smbench.clock import Clock, TimeKind
from smbench.model.event_queue import EventQueue

# Timers of real loops are whole milliseconds; asking for less only spins (uvloop fires early).
# Nothing is stamped late by it: an entry runs with the event_queue's time at its exact due instant.
_SHORTEST_S = 0.001


class Driver:
    """One timer on the loop, at the event_queue's next due instant; re-armed only for an earlier one.

    Until `go`, scenario time stays at the event_queue's start and only what is due then happens.
    """

    def __init__(self, event_queue: EventQueue) -> None:
        self.event_queue = event_queue
        self.clock: Clock | None = None
        self._scale, self._shortest_s = 1.0, 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ns = 0
        self._is_pumping = False
        event_queue.on_earlier = self._arm

    def go(self, clock: Clock) -> None:
        """Let time run. Called on the loop that serves."""
        self.clock = clock
        self._scale = clock.scale
        self._shortest_s = 0.0 if clock.kind is TimeKind.WARP else _SHORTEST_S
        self.advance()

    def advance(self) -> None:
        """Bring the event_queue to the clock's now."""
        event_queue = self.event_queue
        now_ns = event_queue.now_ns if self.clock is None else max(self.clock.now_ns(), event_queue.now_ns)
        due_ns = event_queue.next_due_ns()
        if self._timer is not None and due_ns is not None and due_ns > now_ns:
            event_queue.now_ns = now_ns  # nothing is due, and the timer stands at what will be: the usual case
            return
        self._is_pumping = True
        try:
            event_queue.advance(now_ns)
        finally:  # an event that breaks must not stop those after it
            self._is_pumping = False
            self._arm()

    async def wait_s(self, wait_s: float) -> None:
        """Return when this much scenario time has passed; of the loop's time, while the scenario's has not begun."""
        if self.clock is None:
            await anyio.sleep(wait_s)
            return
        waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end() -> None:
            if not waited.done():
                waited.set_result(None)

        self.event_queue.at(self.event_queue.now_ns + round(wait_s * 1e9), end)
        await waited

    def stop(self) -> None:
        """Disarm; time stops again."""
        self.clock = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self.clock is None or self._is_pumping:
            return
        due_ns = self.event_queue.next_due_ns()
        if due_ns is None or (self._timer is not None and self._armed_ns <= due_ns):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max((due_ns - self.clock.now_ns()) / self._scale / 1e9, self._shortest_s)
        self._armed_ns = due_ns
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.advance()
