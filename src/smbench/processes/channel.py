"""A two-way channel between the parent and a child: messages arrive whole, once and in order.

A child may run in another process, on another machine, or on the loop of a test. The code that starts it supplies the
channel; parent and child use the protocol alone. `tests/contract/test_channels.py` holds every kind to it.
"""

from collections import deque
from multiprocessing.connection import Connection
from typing import Protocol

import anyio

from smbench.processes.messages import Message


class Channel(Protocol):
    """One end of the line. Both ends have the same methods."""

    def send(self, message: Message) -> bool:
        """Hand a message to the other end; returns False when that end is closed or its process has ended.

        A pipe that is full makes the caller wait until the other end reads.
        """

    async def receive(self) -> Message | None:
        """The next message, waiting for one; None when the other end is closed and all it sent has been taken.

        A cancelled call takes no message.
        """

    def close(self) -> None:
        """Close this end: the other end receives None, now and on every later call. Closing twice is allowed."""


class PipeChannel:
    """A channel over one end of a `multiprocessing.Pipe`, for a child on the same machine.

    Args:
        connection: One end of a duplex pipe. Messages are pickled.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def send(self, message: Message) -> bool:
        try:
            self.connection.send(message)
        except OSError:  # closed at one of its ends
            return False
        return True

    async def receive(self) -> Message | None:
        try:
            while not self.connection.poll():
                await anyio.wait_readable(self.connection.fileno())
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            return None
        return message

    def close(self) -> None:
        self.connection.close()


class _Queue:
    """What one end has sent and the other has not taken."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.is_closed = False
        self.changed = anyio.Event()

    def wake(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


class MemoryChannel:
    """A channel within one event loop, for tests and for children that are tasks of the same process.

    Args:
        inbox: Filled by the other end.
        outbox: Emptied by the other end.
    """

    def __init__(self, inbox: _Queue, outbox: _Queue) -> None:
        self._inbox, self._outbox = inbox, outbox

    def send(self, message: Message) -> bool:
        if self._outbox.is_closed:
            return False
        self._outbox.messages.append(message)
        self._outbox.wake()
        return True

    async def receive(self) -> Message | None:
        while not self._inbox.messages:
            if self._inbox.is_closed:
                return None
            await self._inbox.changed.wait()
        return self._inbox.messages.popleft()

    def close(self) -> None:
        for queue in (self._inbox, self._outbox):
            queue.is_closed = True
            queue.wake()


def memory_channels() -> tuple[MemoryChannel, MemoryChannel]:
    """The two ends of a channel in memory. Needs a running loop."""
    one, other = _Queue(), _Queue()
    return MemoryChannel(one, other), MemoryChannel(other, one)
