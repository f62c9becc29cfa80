"""The run as checks see it: its frames and its figures."""

from collections.abc import Callable
from dataclasses import dataclass

from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import Summary
from smbench.findings import Finding


@dataclass(frozen=True, slots=True)
class Run:
    """What checks look at.

    Args:
        asked: Thresholds beside those of its scenario.
    """

    frames: Frames
    summary: Summary
    asked: tuple[str, ...] = ()

    @property
    def is_virtual(self) -> bool:
        """Whether the clock jumped (warp time): then the generator cannot be late."""
        return self.summary.clock == "warp"


Check = Callable[[Run], Finding | None]
