"""Protocols through which a run reaches the outside: transport, notices, outputs and gauges. Each protocol has at least
two implementations and one contract suite.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from smbench.records import Accepted, Answer, Answered, Delivery, Event, FolderPage, Invocation, OutputFound, Reading

CLOUDWATCH_EVERY_S = 30.0
"""CloudWatch is asked no more often: it has something new once a minute, bills every metric of every question, and its
answers cost us most: 28 ms of CPU a look, emulator included, against 6 ms for all the others (60 looks under WarpLoop,
2 shared cores)."""

LOOKS_HZ = 100.0
"""Calls a second that look for outputs, of all workers of a run: S3 takes 5,500 of a prefix, and an hour of as many
HEADs is 0.14 USD."""

LIST_IN_HEADS = 12.5  # list prices: 0.005 and 0.0004 USD a thousand


class Transport(Protocol):
    """Submits one request."""

    async def submit(self, invocation: Invocation) -> Accepted | Answered:
        """Return when the endpoint has taken the request; `Answered` where the request is over as well.

        Raises:
            Rejected: it answered with an error.
            Unacknowledged: no answer came; whether it was taken is unknown.
        """


@runtime_checkable
class PromptTransport(Transport, Protocol):
    """A transport that can submit without a task a request, which costs more than all else that we do for one."""

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]:
        """A function that submits a row at once, if nothing need be waited for.

        It returns False where it would have to wait, and has called neither of the two; `submit` the row then.

        Args:
            leaving: Called with the row just before the bytes leave; returns what is submitted.
            ended: Called once, from the loop and after the function has returned, with the row and what `submit` would
                return or raise.
        """


class Notices(Protocol):
    """The queue that receives every end."""

    async def receive(self) -> list[Delivery]:
        """Up to ten messages; empty when the long poll ended without one.

        Raises:
            Unacknowledged: the queue did not answer; try again.
        """

    async def delete(self, receipts: Sequence[str]) -> list[str]:
        """Delete by receipt, at most ten; returns the receipts that could not be deleted, to be tried again.

        Raises:
            Unacknowledged: the queue did not answer; any of them may be deleted.
        """


class Outputs(Protocol):
    """The results in S3, asked after the drain for requests without a notice."""

    async def look_up(self, output_location: str | None, failure_location: str | None) -> OutputFound | None:
        """The object at one of the two locations; None when there is none.

        Raises:
            Unacknowledged: the store did not answer; whether there is an object is not known.
        """


class Folders(Protocol):
    """What is in a folder of S3, asked for many results at once."""

    async def page(self, location: str, after: str | None) -> FolderPage:
        """The objects beside this one, up to a thousand of them.

        Args:
            location: Of any object of the folder, there or not.
            after: `FolderPage.next` of the page before; None: the first page.

        Raises:
            Unacknowledged: the store did not answer, or may not be asked.
        """


class Gauges(Protocol):
    """Everything AWS reports about an endpoint while it works."""

    async def read(self) -> tuple[list[Reading], list[Event]]:
        """What is new since the last call. Never raises for a failing gauge: its gap is a reading."""
