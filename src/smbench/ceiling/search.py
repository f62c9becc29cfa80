"""Which rate to try next, from which rates were kept: grow until one is not, then narrow the gap down."""

from collections.abc import Generator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Search:
    """How a ceiling is looked for.

    A rate counts as not kept when it was not kept twice: what else the machine does in a second or two must not decide.

    Args:
        growth: Each rate is so many times the last, until one is not kept.
        n_halvings: How often the gap that then remains is halved, in ratio.
        lowest_hz: When the first rate is not kept, slower ones are tried down to this.
    """

    first_hz: float = 500.0
    growth: float = 2.0
    n_halvings: int = 3
    lowest_hz: float = 10.0
    highest_hz: float = 100_000.0

    def rates(self) -> Generator[float, bool, None]:
        """Yields rates; is sent whether each was kept. The ceiling is the highest that was."""
        low_hz, high_hz = 0.0, self.first_hz
        while (yield from _twice(high_hz)):
            if high_hz >= self.highest_hz:
                return
            low_hz, high_hz = high_hz, min(self.highest_hz, high_hz * self.growth)
        while not low_hz:  # not even the first was kept
            slower_hz = high_hz / self.growth
            if slower_hz < self.lowest_hz:
                return
            if (yield from _twice(slower_hz)):
                low_hz = slower_hz
            else:
                high_hz = slower_hz
        for _ in range(self.n_halvings):
            middle_hz = (low_hz * high_hz) ** 0.5
            if (yield from _twice(middle_hz)):
                low_hz = middle_hz
            else:
                high_hz = middle_hz


def _twice(rate_hz: float) -> Generator[float, bool, bool]:
    return (yield rate_hz) or (yield rate_hz)
