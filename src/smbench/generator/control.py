"""How a run is ended early. Stop means: send no more, drain, report. Cancel means: stop now, keep the ledger."""

import anyio

from smbench.records import NotSent


class Control:
    """Two one-way switches; the first call of each says why. Needs a running loop.

    Attributes:
        is_stopped: Whether sending is over; true after `cancel` too.
        is_cancelled: Whether everything is over.
        why_not_sent: Of the requests that were not sent because of the stop; None while there was no stop.
        is_target_gone: The endpoint has ended too, so nothing more is asked of it.
        stop_reason, cancel_reason: The same for a person, with numbers or names; empty while there was none.
    """

    def __init__(self) -> None:
        self._stopped, self._cancelled = anyio.Event(), anyio.Event()
        self.is_stopped = self.is_cancelled = self.is_target_gone = False
        self.why_not_sent: NotSent | None = None
        self.stop_reason = self.cancel_reason = ""

    def stop(self, why: NotSent, reason: str = "") -> None:
        """Send no more. `reason` is for a person; empty: the words of `why`."""
        if not self.is_stopped:
            self.is_stopped = True
            self.why_not_sent, self.stop_reason = why, reason or why.text
            self._stopped.set()

    def cancel(self, why: NotSent, reason: str = "") -> None:
        """Stop now, keep the ledger. Arguments as in `stop`."""
        if not self.is_cancelled:
            self.is_cancelled = True
            self.cancel_reason = reason or why.text
            self._cancelled.set()
        self.stop(why, reason)

    async def wait_stopped(self) -> None:
        """Return once `stop` or `cancel` was called."""
        await self._stopped.wait()

    async def wait_cancelled(self) -> None:
        """Return once `cancel` was called."""
        await self._cancelled.wait()
