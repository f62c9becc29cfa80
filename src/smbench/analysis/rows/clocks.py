"""Two clocks wrote a run's instants: ours (sched, send, ack, seen) and AWS's (recv, done, pub). Do they agree?

AWS took a request between our send and our ack, so `recv` must lie there. If it does uncorrected, the clocks agree as
far as anybody can know, and nothing is corrected. If it does after a constant is taken off, AWS's clock is off by that
constant, and durations between the two clocks are corrected by it. If neither, durations are left as they are and the
check of the clocks says so.

Source: docs/methods.md#clocks; the offset is known to about half an acknowledgement.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Instants = npt.NDArray[np.int64]

_GRAIN_NS = 5_000_000  # recv is whole milliseconds, and a clock is set a little every now and then
_VIOLATIONS_MAX = 0.01


class Agreement(StrEnum):
    UNKNOWN = "unknown"  # nothing to compare
    AGREE = "agree"
    OFFSET = "offset"  # a constant apart
    DISAGREE = "disagree"


class Clocks(BaseModel):
    """What was found. `offset_s` is how far AWS's clock is ahead of ours, the median over all requests."""

    model_config = ConfigDict(frozen=True)

    agreement: Agreement
    offset_s: float = 0.0
    uncertainty_s: float = 0.0
    violation_share: float = 0.0  # of requests whose recv lies outside send..ack, after the correction if there is one
    n: int = 0

    @property
    def correction_ns(self) -> int:
        """To be taken off AWS's instants."""
        return round(self.offset_s * 1e9) if self.agreement is Agreement.OFFSET else 0


def compare_clocks(send_ns: Instants, ack_ns: Instants, recv_ns: Instants) -> Clocks:
    """Compare, over requests that were answered at the first attempt and have a notice."""
    n = len(recv_ns)
    if not n:
        return Clocks(agreement=Agreement.UNKNOWN)
    middle_ns = send_ns + (ack_ns - send_ns) // 2
    offset_ns = round(float(np.median(recv_ns - middle_ns)))
    uncertainty_s = max(float(np.median(ack_ns - send_ns)) / 2e9, 1e-3)
    outside = _outside_share(send_ns, ack_ns, recv_ns)
    if outside <= _VIOLATIONS_MAX:
        agreement = Agreement.AGREE
    else:
        outside = _outside_share(send_ns, ack_ns, recv_ns - offset_ns)
        agreement = Agreement.OFFSET if outside <= _VIOLATIONS_MAX else Agreement.DISAGREE
    return Clocks(
        agreement=agreement, offset_s=offset_ns / 1e9, uncertainty_s=uncertainty_s, violation_share=outside, n=n
    )


def _outside_share(send_ns: Instants, ack_ns: Instants, recv_ns: Instants) -> float:
    return float(np.mean((recv_ns < send_ns - _GRAIN_NS) | (recv_ns > ack_ns + _GRAIN_NS)))
