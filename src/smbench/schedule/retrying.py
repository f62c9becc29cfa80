"""Whether a refused submission is tried again, and when: by the scenario's own numbers, or as the AWS SDK does it."""

import math
from dataclasses import dataclass

import numpy as np

from smbench.records import Rejected, Unacknowledged, is_throttle
from smbench.scenario.values.request import Retry

PAUSE_MAX_S = 20.0  # of mode standard
QUOTA, COST, COST_OF_TIMEOUT, BACK_WITHOUT_RETRY = 500, 5, 10, 1  # botocore.retries.quota and .standard
_STATUS = {
    "plain": range(500, 600),
    "standard": (500, 502, 503, 504),
    "legacy": (429, 500, 502, 503, 504, 509),  # botocore's data/_retry.json
}


@dataclass(frozen=True, slots=True)
class Again:
    """The next try of one request: after a pause, and paid for from the quota."""

    pause_s: float
    cost: int = 0


class Retrying:
    """One worker's retries. Like a client of the SDK it has one quota for all its requests.

    Args:
        jitter: Draws the part of each pause that is chance.
    """

    def __init__(self, retry: Retry, jitter: np.random.Generator) -> None:
        self.retry, self._jitter = retry, jitter
        self.quota = QUOTA

    def after(self, answer: Rejected | Unacknowledged, attempt: int) -> Again | None:
        """What follows a bad answer to the `attempt`-th try, the first being 1; None: it is the last word."""
        retry = self.retry
        if attempt >= retry.attempts or self._cause(answer) not in retry.on:
            return None
        cost = 0
        if retry.mode == "standard":
            cost = COST_OF_TIMEOUT if isinstance(answer, Unacknowledged) and answer.is_timeout else COST
            if cost > self.quota:
                return None
            self.quota -= cost
        longest_s = min(retry.backoff * 2 ** (attempt - 1), PAUSE_MAX_S if retry.mode == "standard" else math.inf)
        return Again(longest_s * self._jitter.random(), cost)

    def good(self, last: Again | None) -> None:
        """A request was taken; after `last`, or at its first try. What it paid last goes back into the quota."""
        if self.quota < QUOTA:
            self.quota = min(QUOTA, self.quota + (BACK_WITHOUT_RETRY if last is None else last.cost))

    def _cause(self, answer: Rejected | Unacknowledged) -> str:
        if isinstance(answer, Unacknowledged):
            return "transport_error"
        if is_throttle(answer.code):
            return "throttle"
        return "server_error" if answer.status_code in _STATUS[self.retry.mode] else ""
