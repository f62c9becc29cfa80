"""How a value went since the run began, in bounded memory: what the live charts are drawn from."""

from typing import Self

_BINS = 256
_FIRST_BIN_NS = 250_000_000


class History:
    """The highest value of each stretch of time. The stretches are equal, and double when there are too many.

    A stretch without a reading keeps the last value before it: for us a gauge that is not read has not moved.
    Before the first value it is zero.
    """

    def __init__(self) -> None:
        self._bins: list[float] = []
        self._bin_ns = _FIRST_BIN_NS
        self._last = 0.0

    @classmethod
    def of(cls, bins: list[float], bin_ns: int, last: float) -> Self:
        """One that was `kept`."""
        history = cls()
        history._bins, history._bin_ns, history._last = bins, bin_ns, last
        return history

    def kept(self) -> tuple[list[float], int, float]:
        """All that it holds: its stretches, the length of each, the last value."""
        return self._bins, self._bin_ns, self._last

    def record(self, at_ns: int, value: float) -> None:
        """Note a value. What was before zero counts as at zero."""
        at_ns = max(0, at_ns)
        while at_ns >= _BINS * self._bin_ns:
            self._bins = [max(self._bins[place : place + 2]) for place in range(0, len(self._bins), 2)]
            self._bin_ns *= 2
        place = at_ns // self._bin_ns
        if place < len(self._bins):
            self._bins[place] = max(self._bins[place], value)
        else:
            self._bins += [self._last] * (place - len(self._bins)) + [value]
        if place == len(self._bins) - 1:
            self._last = value

    def columns(self, n: int, end_ns: int) -> list[float]:
        """`n` equal stretches from zero to `end_ns`, which is in the last one: the highest value of each."""
        if end_ns < 0 or not self._bins:
            return [0.0] * n
        length_ns, whole_ns = end_ns + 1, n * self._bin_ns
        stretches = (
            self._bins[column * length_ns // whole_ns : ((column + 1) * length_ns - 1) // whole_ns + 1]
            for column in range(n)
        )
        return [max(stretch, default=self._last) for stretch in stretches]
