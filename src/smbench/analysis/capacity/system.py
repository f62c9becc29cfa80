"""What is known of the endpoint while a run went on: its instances, their slots, and the requests in the system."""

from dataclasses import dataclass

from smbench.analysis.capacity.instances import Capacity, capacity, concurrency
from smbench.analysis.capacity.slots import Slots, slots
from smbench.analysis.capacity.timeline import Timeline, timeline
from smbench.analysis.numbers.known import then
from smbench.analysis.rows.frames import Frames
from smbench.records import Unknown


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """Each is unknown for a reason of its own; where the first is, so are the others but `concurrency`."""

    capacity: Capacity | Unknown
    concurrency: int | Unknown  # requests that an instance works on at once
    slots: Slots | Unknown
    course: Timeline | Unknown


def system(frames: Frames) -> System:
    """Reconstruct it from a run's rows, readings and events."""
    served, at_once = capacity(frames), concurrency(frames)
    return System(served, at_once, slots(frames, served, at_once), then(served, lambda one: timeline(frames, one)))
