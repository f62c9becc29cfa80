"""How a run is told to end early. Stop means: send no more, drain, report. Cancel means: stop now, keep the ledger."""

import anyio

from smbench.scenario.model import Limits


class Control:
    """Two one-way switches with a reason each; whoever turns one first says why. Needs a running loop."""

    def __init__(self) -> None:
        self._stopped, self._cancelled = anyio.Event(), anyio.Event()
        self.stop_reason = self.cancel_reason = ""

    def stop(self, reason: str) -> None:
        """Send no more, and follow what was sent; the first reason counts."""
        if not self._stopped.is_set():
            self.stop_reason = reason
            self._stopped.set()

    def cancel(self, reason: str) -> None:
        """End at once; stops as well. The first reason counts."""
        if not self._cancelled.is_set():
            self.cancel_reason = reason
            self._cancelled.set()
        self.stop(reason)

    @property
    def is_stopped(self) -> bool:
        """Whether sending is over; true after `cancel` too."""
        return self._stopped.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether everything is over."""
        return self._cancelled.is_set()

    async def wait_stopped(self) -> None:
        """Return once `stop` or `cancel` was called."""
        await self._stopped.wait()

    async def wait_cancelled(self) -> None:
        """Return once `cancel` was called."""
        await self._cancelled.wait()


def beyond_error_limit(limits: Limits, n_bad: int, n_answers: int) -> str:
    """Why to stop when so many answers were errors; empty while that is allowed, or too few have come to tell."""
    if limits.errors is None or n_answers < limits.errors_after or n_bad <= limits.errors * n_answers:
        return ""
    return f"error limit: {n_bad} of {n_answers} answers were errors"
