"""A worker without a parent: its go was agreed in advance or is its own, and what it says goes to its files.

To the worker it is a channel as any other. What a parent would say comes from the order and from signals.
"""

import datetime
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread

from smbench.clock import wall_ns
from smbench.errors import DiskError, ResultsError
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import (
    Acknowledged,
    Announce,
    Beat,
    Cancel,
    Done,
    Failed,
    Go,
    Message,
    Preparing,
    Ready,
    Stop,
)
from smbench.records import Ending, NotSent
from smbench.results.meeting import Meeting
from smbench.results.shards import ShardFiles, ShardState

_HEAD_START_S = 0.3  # between the announcement and a time zero of its own, beside what its rows take
_PER_ROW_S = 5e-6
_ANNOUNCEMENTS_MAX = 3
_WORD_S = 1.0  # between two words of a shard
_MICROSECOND_NS = 1_000  # instants in files are whole ones


def head_start_s(n_rows: int) -> float:
    """What a shard needs from when its time zero is known until it can begin."""
    return _HEAD_START_S + _PER_ROW_S * n_rows


class AloneChannel:
    """The worker's end of a line that has no other end; see `processes.channel.Channel`.

    Args:
        files: Where its words go; this process has taken the shard.
        state: What is known of it so far.
        agreed_utc_ns: Scenario time zero of all shards; None: each has its own, as soon as it is ready.
        meeting: Of shards that begin together, once all are ready; None: it waits for no other.
        n_rows: Requests of the shard.
        interrupts: The first stops sending, the second stops at once.
        say: Receives what a person should read.

    Attributes:
        state: What the files say of the shard.
        failure: Why it could not begin or go on; None: it could.
    """

    def __init__(
        self,
        files: ShardFiles,
        state: ShardState,
        agreed_utc_ns: int | None,
        meeting: Meeting | None,
        n_rows: int,
        interrupts: Interrupts,
        say: Callable[[str], None],
    ) -> None:
        self.state = state
        self.failure: Failed | None = None
        self._files, self._agreed_utc_ns, self._interrupts, self._say = files, agreed_utc_ns, interrupts, say
        self._meeting = meeting
        self._head_start_s = head_start_s(n_rows)
        self._n_announced = self._n_interrupts = 0
        self._announced_ns = self._zero_ns = 0
        self._is_mute = False  # its last word could not be written
        self._latest: Beat | None = None
        self._inbox: deque[Message] = deque()
        self._came: anyio.Event | None = None
        self._writing = threading.Lock()

    def send(self, message: Message) -> bool:
        """Do with it what a parent would.

        Raises:
            DiskError: the shard's files cannot be written; without them it may not begin.
        """
        match message:
            case Preparing(text):
                self._say(text)
            case Ready(found, held):
                self._learn(found=dict(found or {}), held=None if held is None else dict(held))
                self._announce()
            case Acknowledged():
                self._acknowledged()
            case Beat():
                self._latest = message
            case Done(notes, held=held):
                self._learn(ending=self._ending, notes=tuple(notes), held=None if held is None else dict(held))
                self.write()
            case Failed():
                self.failure = message
                held_no_more = {} if self.state.may_have_sent else {"held": None}  # removed on the way out
                self._learn(ending=Ending.FAILED, reason=message.message, **held_no_more)
                self.write()
        return True

    async def receive(self) -> Message | None:
        """The next thing to do; meanwhile the files say once a second that this process lives."""
        if len(self._interrupts.names) > self._n_interrupts:
            await self._take_interrupt()
        while not self._inbox:
            self._came = anyio.Event()
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(self._take_interrupt)
                with anyio.move_on_after(_WORD_S):
                    await self._came.wait()
                waiting.cancel_scope.cancel()
            if not self._inbox:
                await anyio.to_thread.run_sync(self._say_it_lives)
            if self.state.is_ready and self._agreed_utc_ns is None:
                await self._meet()
        return self._inbox.popleft()

    def close(self) -> None:
        """There is no other end."""

    def _say_it_lives(self) -> None:
        """What cannot be said now is said a second later; it is the parts that the run cannot do without."""
        try:
            self.write()
        except DiskError as error:
            if not self._is_mute:
                self._say(f"goes on, although it cannot say so: {error.message}")
            self._is_mute = True
        else:
            self._is_mute = False

    def write(self) -> None:
        """Put the state into its file.

        Raises:
            DiskError: it cannot be written.
        """
        with (
            self._writing
        ):  # from the loop and from its thread; what is known is read inside, so the last is the latest
            latest = {} if self._latest is None else {"snapshot": self._latest.snapshot.as_values()}
            said = datetime.datetime.now(datetime.UTC)
            self._files.write(self.state.model_copy(update={"said": said, **latest}))

    # ---- what a parent would do -------------------------------------------------------------------------------

    async def _meet(self) -> None:
        """What cannot be read or written now is tried a second later."""
        assert self._meeting is not None, "only a shard with a meeting waits"
        try:
            self._agreed_utc_ns = await anyio.to_thread.run_sync(self._meeting.look, wall_ns())
        except ResultsError as error:
            self._say(f"waits for the others, and cannot look for them: {error.message}")
        if self._agreed_utc_ns is None:
            return
        if left_out := self._meeting.left_out:
            named = ", ".join(map(str, left_out[:10])) + (" and others" if len(left_out) > 10 else "")
            self._say(f"does not wait any longer for shard {named}")
        self._announce()

    def _announce(self) -> None:
        if self._meeting is not None and self._agreed_utc_ns is None:
            self._learn(is_ready=True)
            self.write()
            self._say("ready; begins when all shards are")
            return
        self._announced_ns = wall_ns()
        self._n_announced += 1
        zero_ns = self._agreed_utc_ns
        if zero_ns is None:
            zero_ns = self._announced_ns + round((self._head_start_s + _HEAD_START_S) * 1e9)
        self._zero_ns = zero_ns - zero_ns % _MICROSECOND_NS
        self._tell(Announce(self._zero_ns))

    def _acknowledged(self) -> None:
        """Go, once the files say so; again where the rows took longer than was thought, and time zero may move."""
        if self._interrupts.names:
            return  # it reads of that next, and does not begin
        if self._announced_anew():
            return
        late_s = max(0.0, (wall_ns() - self._zero_ns) / 1e9)
        self._learn(zero_ns=self._zero_ns, late_s=late_s)
        try:
            self.write()
        except BaseException:  # there is no go: it certainly sent nothing
            self._learn(zero_ns=None, late_s=None)
            raise
        if self._announced_anew():  # it is the place that took long
            self._learn(zero_ns=None, late_s=None)
            return
        self._say(f"begins {late_s:.2f} s late" if late_s else f"begins in {(self._zero_ns - wall_ns()) / 1e9:.1f} s")
        self._tell(Go(self._zero_ns, self._zero_ns, 1.0))

    def _announced_anew(self) -> bool:
        took_s = (wall_ns() - self._announced_ns) / 1e9
        is_movable = self._agreed_utc_ns is None and self._n_announced < _ANNOUNCEMENTS_MAX
        if not is_movable or took_s <= self._head_start_s:
            return False
        self._head_start_s = 2 * took_s
        self._announce()
        return True

    async def _take_interrupt(self) -> None:
        name = await self._interrupts.wait(self._n_interrupts + 1)
        self._n_interrupts += 1
        if self._n_interrupts == 1:
            self._learn(reason=f"stopped by {name}")
            self._tell(Stop(NotSent.STOPPED, self.state.reason))
        else:
            self._learn(reason=f"stopped at once by {name}")
            self._tell(Cancel(self.state.reason))

    @property
    def _ending(self) -> Ending:
        return (Ending.FINISHED, Ending.STOPPED, Ending.CANCELLED)[min(2, self._n_interrupts)]

    def _tell(self, message: Message) -> None:
        self._inbox.append(message)
        if self._came is not None:
            self._came.set()

    def _learn(self, **facts: Any) -> None:
        self.state = self.state.model_copy(update=facts)
