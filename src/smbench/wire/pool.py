"""Connections to one origin, opened when needed, kept while they live.

Who wants to send takes a connection first and makes the request then, so no signature ages in a queue. Where none is
idle a new one is opened, or one is taken that comes free before; at most `CONNECTING_MAX` open at once, for a burst of
handshakes would hold up the answers that make connections free.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

import anyio
import anyio.lowlevel

from smbench.wire.http1 import AnswerTimeout, BrokenOff, Connection, ConnectTimeout, Ended, Pieces, Response
from smbench.wire.origin import Origin, Resolver

CONNECTING_MAX = 64
_ADDRESS_SHARE = 0.25  # of the time to connect: one address that swallows everything leaves time for another
_Of = TypeVar("_Of")
IDLE_MAX_S = 12.0  # servers close idle connections; one that was idle longer is not trusted with a request


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """What a pool holds now, and what it opened so far."""

    n_open: int  # opening ones included
    n_idle: int
    n_waiting: int
    n_opened: int


class Pool:
    """Exchanges requests for answers with one origin, between `async with` and its end.

    Args:
        limit: Connections at most; beyond it requests wait, unsigned, for one to come free.
        tls: For an https origin.
        connect_s: To have a connection, TLS included.
        answer_s: From the request to the whole answer. A large request that is still leaving has as long again.
        silence_s: Within an answer that is taken in pieces, and before it; None: as long as `answer_s`.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        limit: int,
        tls: ssl.SSLContext | None = None,
        connect_s: float = 10.0,
        answer_s: float = 60.0,
        silence_s: float | None = None,
    ) -> None:
        if origin.is_tls and tls is None:
            raise ValueError("an https origin needs a TLS context")
        self.origin, self.limit = origin, limit
        self.connect_s, self.answer_s, self.silence_s = connect_s, answer_s, silence_s
        self._tls = tls if origin.is_tls else None
        self._resolver = Resolver(origin)
        self._idle: list[Connection] = []  # the last used on top, so that those not needed grow old
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._busy: dict[Connection, float] = {}  # to when its request left, or was last seen to be leaving
        self._n_open = self._n_connecting = self._n_opened = 0
        self._watch: asyncio.TimerHandle | None = None
        # Known once a connection was opened: to ask for it is a system call, and would be three of each request.
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._n_open -= len(self._idle)
        self._idle.clear()
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()  # aborted transports close their sockets in the loop's next turn

    def statistics(self) -> PoolStatistics:
        """As it is at this instant."""
        n_waiting = sum(not turn.done() for turn in self._waiting)
        return PoolStatistics(self._n_open, len(self._idle), n_waiting, self._n_opened)

    def take_idle(self) -> Connection | None:
        """A connection that is idle, in hand: `exchange` and `begin` return it to the pool, or `give_back` does."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and self._loop.time() - connection.idle_since_s < IDLE_MAX_S:
                return connection
            self._drop(connection)
        return None

    async def take(self) -> Connection:
        """A connection in hand, as soon as one can be had.

        Raises:
            OSError: none: refused, reset, name not known, TLS error, `ConnectTimeout`.
        """
        return self.take_idle() or await self._obtain()

    def give_back(self, connection: Connection) -> None:
        """Nothing was sent on it."""
        self._release(connection)

    async def exchange(
        self, connection: Connection, request: bytes, *, is_head: bool = False, pieces: Pieces | None = None
    ) -> Response:
        """Send on a connection in hand; the answer, whatever its status.

        Raises:
            OSError: it broke: reset, `BrokenOff`, `AnswerTimeout`.
            UnreadableAnswer: what came is no HTTP.
        """
        self._expect(connection)
        try:
            answer = connection.send(request, is_head=is_head, pieces=pieces)
        except BaseException:  # nothing was sent: it had ended before
            self._freed(connection)
            raise
        try:
            return await answer
        except BaseException:
            if answer.cancelled() or not answer.done():  # the answer may still come, and must not meet another request
                connection.fail(BrokenOff("the request was cancelled"))
            raise

    def begin(
        self,
        connection: Connection,
        request: bytes,
        ended: Ended[_Of],
        of: _Of,
        pieces: Pieces | None = None,
    ) -> None:
        """The same without a task: `ended` is called with `of` and the answer, or what `exchange` would raise."""
        self._expect(connection)
        try:
            connection.begin(request, ended, of, pieces=pieces)
        except BaseException:  # as above
            self._freed(connection)
            raise

    def _expect(self, connection: Connection) -> None:
        self._busy[connection] = connection.heard_s = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_at(self._deadline_s(connection, connection.heard_s), self._end_overdue)

    def _deadline_s(self, connection: Connection, sent_s: float) -> float:
        until_s = sent_s + self.answer_s
        return until_s if self.silence_s is None else min(until_s, connection.heard_s + self.silence_s)

    def _freed(self, connection: Connection) -> None:
        """Its request is over."""
        self._busy.pop(connection, None)
        self._release(connection)

    async def warm(self) -> None:
        """Have one connection ready; raises as `take` does where none can be had."""
        self.give_back(await self.take())

    # ---- who gets which connection ----------------------------------------------------------------------------

    async def _obtain(self) -> Connection:
        """A new connection, or one that came free meanwhile."""
        has_waited = False
        while not self._may_open() or (self._waiting and not has_waited):
            given = await self._wait_turn(is_first=has_waited)
            has_waited = True
            if given is None and (given := self.take_idle()) is not None:
                self._let_one_open()  # it came free while nobody waited; the room that was offered is another's
            if given is None:
                continue
            if given.is_usable:
                return given
            self._drop(given)
        return await self._open()

    def _may_open(self) -> bool:
        return self._n_connecting < CONNECTING_MAX and self._n_open < self.limit

    async def _wait_turn(self, *, is_first: bool) -> Connection | None:
        """A connection, or None when one may be opened.

        Args:
            is_first: It was this one's turn already, and a newcomer took what it was given.
        """
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if is_first else self._waiting.append)(turn)
        try:
            return await turn
        except BaseException:  # cancelled: what was given meanwhile goes to the next
            if turn.done() and not turn.cancelled():
                self._pass_on(turn.result())
            raise

    def _pass_on(self, given: Connection | None) -> None:
        if given is None:
            self._let_one_open()
        else:
            self._release(given)

    def _let_one_open(self) -> None:
        if self._may_open():
            self._wake_one(None)

    def _wake_one(self, given: Connection | None) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(given)
                return True
        return False

    def _release(self, connection: Connection) -> None:
        if not connection.is_usable:
            self._drop(connection)
        elif not self._waiting or not self._wake_one(connection):
            connection.idle_since_s = self._loop.time()
            self._idle.append(connection)

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._n_open -= 1
        self._let_one_open()

    # ---- opening and ending -----------------------------------------------------------------------------------

    async def _open(self) -> Connection:
        self._loop = asyncio.get_running_loop()
        self._n_open += 1
        self._n_connecting += 1
        is_open = False
        try:
            with anyio.fail_after(self.connect_s):
                connection = await self._connect()
            is_open = True
        except TimeoutError as error:
            raise ConnectTimeout(f"no connection to {self.origin.authority} in {self.connect_s:g} s") from error
        finally:
            self._n_open -= not is_open
            self._n_connecting -= 1
            self._let_one_open()
        self._n_opened += 1
        return connection

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        host = self.origin.host if self._tls is not None else None
        failure: OSError | None = None
        addresses = await self._resolver.addresses()
        for address in addresses:
            share_s = None if address is addresses[-1] else self.connect_s * _ADDRESS_SHARE
            try:
                with anyio.fail_after(share_s):
                    _, connection = await loop.create_connection(
                        partial(Connection, self._freed), address, self.origin.port, ssl=self._tls, server_hostname=host
                    )
            except ssl.SSLError:
                raise  # another address of the same name would say the same
            except OSError as error:
                failure = error
            else:
                return connection
        assert failure is not None, "a name that is known has an address"
        raise failure

    def _end_overdue(self) -> None:
        """One timer for all: each time for the one that is due first."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for connection, sent_s in list(self._busy.items()):
            if self._deadline_s(connection, sent_s) > now_s:
                continue
            if connection.is_still_sending():
                self._busy[connection] = connection.heard_s = now_s
            else:
                connection.fail(AnswerTimeout(f"no answer from {self.origin.authority} in time"))
        due_s = (self._deadline_s(connection, sent_s) for connection, sent_s in self._busy.items())
        next_s = min((deadline_s for deadline_s in due_s if deadline_s > now_s), default=None)
        self._watch = None if next_s is None else loop.call_at(next_s, self._end_overdue)
