"""What is due when. The only time the model knows: a driver says how far to go, by a run's clock or by none."""

import heapq
from collections.abc import Callable

Action = Callable[[], None]

_TIDY_ABOVE = 1024  # fewer cancelled entries than this are not worth a rebuild


class Entry:
    """One action on an event_queue."""

    __slots__ = ("_event_queue", "action", "due_ns")

    def __init__(self, event_queue: "EventQueue", due_ns: int, action: Action) -> None:
        self._event_queue, self.due_ns = event_queue, due_ns
        self.action: Action | None = action

    def cancel(self) -> None:
        """Forget the action. Nothing happens when it has run or was cancelled before."""
        if self.action is not None:
            self.action = None
            self._event_queue.note_cancelled()


class EventQueue:
    """Actions in order of their due instant; those due at the same instant run in order of entry.

    Attributes:
        now_ns: Nanoseconds since scenario time zero.
        on_earlier: Called when an entry becomes the earliest, so that a driver can re-arm its timer.
    """

    def __init__(self, now_ns: int = 0) -> None:
        self.now_ns = now_ns
        self.on_earlier: Action | None = None
        self._heap: list[tuple[int, int, Entry]] = []
        self._n_entered = 0
        self._n_cancelled = 0

    def at(self, due_ns: int, action: Action) -> Entry:
        """Enter an action. One due in the past is due now; it runs at the next `advance`, never within this call."""
        entry = Entry(self, max(due_ns, self.now_ns), action)
        self._n_entered += 1
        heapq.heappush(self._heap, (entry.due_ns, self._n_entered, entry))
        if self.on_earlier is not None and self._heap[0][2] is entry:
            self.on_earlier()
        return entry

    def next_due_ns(self) -> int | None:
        """When the next action is due; None when there is none."""
        heap = self._heap
        while heap and heap[0][2].action is None:
            heapq.heappop(heap)
            self._n_cancelled -= 1
        return heap[0][0] if heap else None

    def advance(self, to_ns: int) -> None:
        """Run all that is due up to and including `to_ns`, also what is entered meanwhile; then it is `to_ns`.

        Each action sees `now_ns` at its own due instant, however late the driver comes.

        Raises:
            ValueError: `to_ns` lies in the past.
        """
        if to_ns < self.now_ns:
            raise ValueError(f"time went back from {self.now_ns} to {to_ns} ns")
        heap = self._heap
        while heap and heap[0][0] <= to_ns:
            due_ns, _, entry = heapq.heappop(heap)
            action, entry.action = entry.action, None
            if action is None:
                self._n_cancelled -= 1
                continue
            self.now_ns = due_ns
            action()
        self.now_ns = to_ns

    def note_cancelled(self) -> None:
        """One entry was cancelled; the heap is rebuilt when half of it is."""
        # Cancelled entries stay in the heap until due. A request's time to live may be hours, so without a rebuild
        # the heap would grow with all requests ever queued; rebuilding at half keeps the cost constant per entry.
        self._n_cancelled += 1
        if self._n_cancelled > _TIDY_ABOVE and 2 * self._n_cancelled > len(self._heap):
            # In place: `advance` may be running over this very list.
            self._heap[:] = [item for item in self._heap if item[2].action is not None]
            heapq.heapify(self._heap)
            self._n_cancelled = 0
