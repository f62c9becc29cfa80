"""A server on loopback that answers with bytes as told, HTTP or not, and then stays, closes or resets."""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self, cast

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RESET = struct.pack("ii", 1, 0)


class Visitor(asyncio.Protocol):
    """One connection as the server has it."""

    def __init__(self, server: "RawServer") -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self.received = b""
        self.is_lost = False
        self.telling: object = None  # keeps a script alive that speaks in several turns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server.visitors.append(self)
        self.server.most_open = max(self.server.most_open, self.server.n_open)
        if self.server.on_connect is not None:
            self.server.on_connect(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (request := self._whole_request()) is not None:
            self.server.requests.append(request)
            self.server.on_request(self, request)

    def _whole_request(self) -> bytes | None:
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = int(match[1]) if (match := _LENGTH.search(head)) else 0
        if not end or len(body) < length:
            return None
        size_bytes = len(head) + 4 + length
        request, self.received = self.received[:size_bytes], self.received[size_bytes:]
        return request

    def say(self, data: bytes) -> None:
        if self.transport is not None and not self.is_lost:
            self.transport.write(data)

    def close(self) -> None:
        """After what was said."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        if self.transport is not None and not self.is_lost:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()


@dataclass
class RawServer:
    """Args:
    on_request: Called with each whole request.
    on_connect: Called before any.
    """

    on_request: Callable[[Visitor, bytes], object]
    on_connect: Callable[[Visitor], object] | None = None
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)
    most_open: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Visitor(self), "127.0.0.1", 0, ssl=self.tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for visitor in self.visitors:
            if visitor.transport is not None and not visitor.is_lost:
                visitor.transport.abort()
        await self._server.wait_closed()

    @property
    def n_open(self) -> int:
        return sum(not visitor.is_lost for visitor in self.visitors)

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"


async def turns(n: int = 5) -> None:
    """Let the loop take what has arrived."""
    for _ in range(n):
        await _turn()


def _turn() -> Awaitable[None]:
    turn = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turn.set_result, None)
    return turn
