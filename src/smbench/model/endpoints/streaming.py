"""A streamed answer as the model sees it: the first part comes when the work is done, the others follow one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Self

from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler


@dataclass(slots=True)
class Streamed:
    """What a request asks for beside its work.

    Args:
        gaps_s: From each part to the next, on an instance of average speed; one less than there are parts.
        on_part: Called with the place, from 0, of each part that comes before the end; the others come with the end.
    """

    gaps_s: Sequence[float]
    on_part: Callable[[int], None]
    first_ns: int | None = None  # when the first part came before the end

    @classmethod
    def drawn(cls, n_parts: int, gap: Sampler, on_part: Callable[[int], None]) -> Self:
        """Of the next request in order of arrival."""
        return cls([gap.draw_s() for _ in range(1, n_parts)], on_part)

    def offsets_s(self, work_s: float) -> list[float]:
        """When each part comes, from the start of the work, on an instance of average speed."""
        return list(accumulate(self.gaps_s, initial=work_s))

    def begin(self, event_queue: EventQueue, start_ns: int, offsets_ns: Sequence[int], done_ns: int) -> None:
        """The work begins.

        Args:
            offsets_ns: Of the parts, from `start_ns`, on this instance.
            done_ns: The end of the request.
        """
        coming_ns = [at_ns for offset_ns in offsets_ns if (at_ns := start_ns + offset_ns) < done_ns]
        self._await(event_queue, coming_ns, 0)

    def _await(self, event_queue: EventQueue, coming_ns: list[int], place: int) -> None:
        if place < len(coming_ns):
            event_queue.at(coming_ns[place], partial(self._come, event_queue, coming_ns, place))

    def _come(self, event_queue: EventQueue, coming_ns: list[int], place: int) -> None:
        if place == 0:
            self.first_ns = coming_ns[0]
        self.on_part(place)
        self._await(event_queue, coming_ns, place + 1)
