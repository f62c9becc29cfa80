"""AWS clients for callers without an event loop: on a loop in a thread of their own.

A worker's loop never waits for them while it sends.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.errors import SmbenchError, TargetError, out_of_groups

CALL_S = 20.0  # for one answer, all tries together

_Result = TypeVar("_Result")


class OwnLoop:
    """The clients, and their loop. Safe in any thread but the loop's own."""

    def __init__(self, portal: BlockingPortal, clients: AwsClients) -> None:
        self._portal, self.clients = portal, clients

    def answer(
        self,
        doing: str,
        call: Callable[[], Awaitable[_Result]],
        kind: type[SmbenchError] = TargetError,
        within_s: float = CALL_S,
    ) -> _Result:
        """Call on the loop, and wait.

        Args:
            doing: In words, such as "list the bucket".
            kind: Of the error that says what AWS or the network refuses.
        """

        async def bounded() -> _Result:
            try:
                with anyio.fail_after(within_s):
                    return await call()
            except BaseExceptionGroup as group:  # a task group wraps what ends it; its cause is what is raised
                raise out_of_groups(group) from None

        try:
            with self.clients.explained(doing):
                return self._portal.call(bounded)
        except TargetError as error:
            raise kind(error.message, error.advice) from error
        raise AssertionError  # `explained` lets nothing pass in silence


@contextmanager
def own_loop(settings: AwsSettings) -> Iterator[OwnLoop]:
    """Open while the block lasts.

    Raises:
        TargetError: no region or no credentials.
    """
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(AwsClients(settings)) as clients:
        yield OwnLoop(portal, clients)
