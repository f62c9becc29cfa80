"""Serves a run to those who watch or stop it: through a socket that only its user can open.

Every viewer has a task of its own, which sends it the newest picture when it can take one: one that is slow misses
pictures, one that is gone or misbehaves ends its own task, and nothing waits for any of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc

from smbench.clock import real_ns
from smbench.processes.interrupts import Interrupts
from smbench.version import __version__
from smbench.view.live.frame import frame_bytes
from smbench.view.live.state import LiveState

WATCH, STOP, STOP_NOW = b"watch", b"stop", b"stop now"  # what a caller may ask for, in one line
LENGTH_BYTES = 4  # before each picture, big-endian
NO_ROOM = bytes(LENGTH_BYTES)  # in the place of a picture's length: too many watch already
VERSION = __version__.encode()
_EVERY_S = 0.25
_FRESH_NS = 200_000_000
_VIEWERS_MAX = 32
_ASK_S = 5.0  # within which a caller must say what it wants
_AGAIN_S = 1.0  # after a caller for whom no descriptor was left
_LAST_S = 1.0  # for the last picture, when the run is over


class Server:
    """Serves one run.

    Args:
        state: What there is to show; it changes while it is served.
        interrupts: Asked to end the run.
    """

    def __init__(self, state: LiveState, interrupts: Interrupts) -> None:
        self.state, self.interrupts = state, interrupts
        self._over = anyio.Event()
        self._n_callers = 0
        self._frame, self._framed_ns = b"", 0

    @asynccontextmanager
    async def at(self, socket: str) -> AsyncIterator[None]:
        """Serve while the block lasts; what ends it is raised as it is."""
        failure: Exception | None = None
        try:
            listener = await anyio.create_unix_listener(socket, mode=0o600)
        except OSError:  # a run that cannot be watched is a run all the same
            yield
            return
        async with listener, anyio.create_task_group() as viewers:
            async with anyio.create_task_group() as listening:
                listening.start_soon(self._listen, listener, viewers)
                try:
                    yield
                except Exception as error:  # noqa: BLE001  # raised again below: the groups would wrap it
                    failure = error
                listening.cancel_scope.cancel()
            self._over.set()
            viewers.cancel_scope.deadline = anyio.current_time() + _LAST_S
        if failure is not None:
            raise failure

    async def _listen(self, listener: anyio.abc.SocketListener, viewers: anyio.abc.TaskGroup) -> None:
        while True:
            try:
                await listener.serve(self._attend, viewers)
            except anyio.BrokenResourceError:  # the caller waits, or leaves; the run goes on
                await anyio.sleep(_AGAIN_S)

    async def _attend(self, caller: anyio.abc.SocketStream) -> None:
        self._n_callers += 1
        try:
            async with caller:
                await self._answer(caller)
        except Exception:  # noqa: BLE001  # whatever is wrong with a viewer must not become wrong with the run
            pass
        finally:
            self._n_callers -= 1

    async def _answer(self, caller: anyio.abc.SocketStream) -> None:
        asked = b""
        with anyio.fail_after(_ASK_S):
            while not asked.endswith(b"\n") and len(asked) < 64:
                asked += await caller.receive(64)
        await caller.send(VERSION + b"\n")
        if asked.strip() == WATCH and self._n_callers > _VIEWERS_MAX:
            await caller.send(NO_ROOM)
        elif asked.strip() == WATCH:
            await self._show(caller)
        elif asked.strip() in (STOP, STOP_NOW):
            await caller.send(self._stop(at_once=asked.strip() == STOP_NOW).encode())

    async def _show(self, caller: anyio.abc.SocketStream) -> None:
        is_last = False
        while not is_last:
            is_last = self._over.is_set()
            frame = self._picture(is_last=is_last)
            await caller.send(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
            with anyio.move_on_after(_EVERY_S):
                await self._over.wait()

    def _picture(self, *, is_last: bool) -> bytes:
        """The newest, made once for all viewers."""
        now_ns = real_ns()
        if is_last or now_ns - self._framed_ns > _FRESH_NS:
            self._frame, self._framed_ns = frame_bytes(self.state), now_ns
        return self._frame

    def _stop(self, *, at_once: bool) -> str:
        """Ask for the end of the run; returns what happens now, in words."""
        if at_once:
            self.interrupts.give("smbench stop --now", at_once=True)
            return "it stops at once, and keeps what is known"
        if self.interrupts.names:
            return "it is stopping already: no more is sent, and what was sent is followed; --now ends that, too"
        self.interrupts.give("smbench stop", at_once=False)
        return "no more is sent; what was sent is followed to its end"
