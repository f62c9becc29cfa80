"""Reads the endpoint's gauges on a beat: records what it saw and when; a failed read is a gap, not an error."""

from collections.abc import Callable, Sequence

from smbench.clock import Clock
from smbench.ports import Gauges
from smbench.records import Event, Reading

OnRead = Callable[[Sequence[Reading], Sequence[Event]], None]


async def watch(gauges: Gauges, clock: Clock, every_s: float, on_read: OnRead) -> None:
    """Read now and then every `every_s` seconds of scenario time, on absolute instants, until cancelled."""
    due_ns = clock.now_ns()
    while True:
        on_read(*await gauges.read())
        step_ns = round(every_s * 1e9)
        due_ns += (
            max(1, -(-(clock.now_ns() - due_ns) // step_ns)) * step_ns
        )  # a slow look skips beats, not doubles them
        await clock.sleep_until_ns(due_ns)
