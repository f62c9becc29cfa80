"""Two clocks wrote a run's instants: ours (sched, send, ack, seen) and AWS's (recv, done, pub). Do they agree?

AWS took a request between our send and our ack, so `recv` must lie there. If it does uncorrected, the clocks agree as
far as anybody can know, and nothing is corrected. If it does after a constant is taken off, AWS's clock is off by that
constant, and durations between the two clocks are corrected by it; after a straight line, one clock runs faster, and
they are corrected by that. If neither, durations are left as they are and the check of the clocks says so.

Source: docs/methods.md#clocks; the offset is known to about half an acknowledgement.
"""

from enum import StrEnum
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

Instants = npt.NDArray[np.int64]

_GRAIN_NS = 5_000_000  # recv is whole milliseconds, and a clock is set a little every now and then
_VIOLATIONS_MAX = 0.01
_DRIFT_MAX = 1e-3  # a kernel slews its clock by 500 ppm at most, and a worse one is broken
_STRETCHES = (4, 32)  # fewer say nothing of a line, and more have few requests each
_PER_STRETCH = 5


class Agreement(StrEnum):
    UNKNOWN = "unknown"  # nothing to compare
    AGREE = "agree"
    OFFSET = "offset"  # a constant apart
    DRIFT = "drift"  # apart by a straight line: one runs faster
    DISAGREE = "disagree"


class Clocks(BaseModel):
    """What was found. `offset_s` is how far AWS's clock is ahead of ours, the median over all requests.

    Where one clock runs faster, AWS's gains `drift` seconds a second, and the offset is that of `at_ns` on our clock.
    """

    model_config = ConfigDict(frozen=True)

    agreement: Agreement
    offset_s: float = 0.0
    uncertainty_s: float = 0.0
    violation_share: float = 0.0  # of requests whose recv lies outside send..ack, after the correction if there is one
    n: int = 0
    drift: float = 0.0
    at_ns: int = 0

    @property
    def _offset_ns(self) -> int:
        """What is corrected at `at_ns`."""
        return round(self.offset_s * 1e9) if self.agreement in (Agreement.OFFSET, Agreement.DRIFT) else 0

    def ours_ns(self, aws_ns: int) -> int:
        """An instant of AWS's on our clock; both nanoseconds since the run began."""
        since_ns = aws_ns - self._offset_ns - self.at_ns
        return aws_ns - self._offset_ns - round(since_ns * self.drift / (1 + self.drift))

    def ours(self, aws: str) -> pl.Expr:
        """A column of AWS's instants on our clock, under its own name."""
        column = pl.col(aws) - self._offset_ns
        if not self.drift:
            return column
        return column - ((column - self.at_ns) * (self.drift / (1 + self.drift))).round().cast(pl.Int64)

    def aws(self, ours: str) -> pl.Expr:
        """The way back: a column of instants on our clock as AWS wrote them, to a nanosecond or two."""
        column = pl.col(ours)
        if not self.drift:
            return column + self._offset_ns
        return column + self._offset_ns + ((column - self.at_ns) * self.drift).round().cast(pl.Int64)


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
    constant = Clocks(
        agreement=agreement, offset_s=offset_ns / 1e9, uncertainty_s=uncertainty_s, violation_share=outside, n=n
    )
    if agreement is not Agreement.DISAGREE:
        return constant
    return _drifting(constant, send_ns, ack_ns, recv_ns) or constant


def _drifting(constant: Clocks, send_ns: Instants, ack_ns: Instants, recv_ns: Instants) -> Clocks | None:
    """The line through the medians of stretches of equally many requests; None where it does not explain them either.

    Its slope is the median of the slopes of all pairs (Sen 1968), so a few bad stretches do not bend it.
    """
    n_stretches = min(_STRETCHES[1], constant.n // _PER_STRETCH)
    if n_stretches < _STRETCHES[0]:
        return None
    middle_ns = send_ns + (ack_ns - send_ns) // 2
    stretches = np.array_split(np.argsort(middle_ns), n_stretches)
    at_ns = np.array([np.median(middle_ns[one]) for one in stretches])
    ahead_ns = np.array([np.median((recv_ns - middle_ns)[one]) for one in stretches])
    slopes = [
        (ahead_ns[b] - ahead_ns[a]) / (at_ns[b] - at_ns[a])
        for a, b in combinations(range(n_stretches), 2)
        if at_ns[b] > at_ns[a]
    ]
    drift = float(np.median(slopes)) if slopes else 0.0
    if not 0 < abs(drift) <= _DRIFT_MAX:
        return None
    pivot_ns = round(float(np.median(at_ns)))
    offset_ns = float(np.median(ahead_ns - drift * (at_ns - pivot_ns)))
    line_ns = np.rint(offset_ns + drift * (middle_ns - pivot_ns)).astype(np.int64)
    outside = _outside_share(send_ns, ack_ns, recv_ns - line_ns)
    if outside > _VIOLATIONS_MAX:
        return None
    found = {"agreement": Agreement.DRIFT, "offset_s": offset_ns / 1e9, "violation_share": outside}
    return constant.model_copy(update=found | {"drift": drift, "at_ns": pivot_ns})


def _outside_share(send_ns: Instants, ack_ns: Instants, recv_ns: Instants) -> float:
    return float(np.mean((recv_ns < send_ns - _GRAIN_NS) | (recv_ns > ack_ns + _GRAIN_NS)))
