"""A transport that submits at once, seen through the one call that all contract suites make."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar, cast

from smbench.aws.transport.wire_service import WireService
from smbench.ports import PromptTransport
from smbench.records import Accepted, Answer, Answered, Invocation

_End = TypeVar("_End", bound=Accepted | Answered, covariant=True)


class _Wire(Protocol[_End]):
    """Either of the wire's transports."""

    service: WireService

    async def submit(self, invocation: Invocation) -> _End: ...

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]: ...


class Promptly(Generic[_End]):
    """`submit` by `promptly`, on a connection that is made ready before; by `submit` where none can be had."""

    def __init__(self, transport: _Wire[_End]) -> None:
        assert isinstance(transport, PromptTransport)
        self.transport = transport

    async def submit(self, invocation: Invocation) -> _End:
        with suppress(OSError):
            await self.transport.service.pool.warm()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.transport.promptly(lambda _row: invocation, lambda _row, told: answer.set_result(told))(0):
            return await self.transport.submit(invocation)
        outcome = await answer
        if isinstance(outcome, Exception):
            raise outcome
        return cast(_End, outcome)
