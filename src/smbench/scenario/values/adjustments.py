"""Steps of a step policy: which change follows by how far the alarm's threshold is passed."""

import itertools
import math
from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from smbench.scenario.values.quantities import Number, Whole
from smbench.scenario.values.record import Part


class Step(Part):
    """One step of a step policy.

    Its bounds are relative to the alarm's threshold. Above the threshold the lower bound belongs to the step and the
    upper one does not; below it is the other way round.
    """

    lower: Number | None = Field(
        default=None,
        description="MetricIntervalLowerBound. Default: minus infinity, or 0 where there is no `upper` either.",
    )
    upper: Number | None = Field(default=None, description="MetricIntervalUpperBound. Default: infinity.")
    change: Whole = Field(description="ScalingAdjustment: instances, or percent, as the policy's `adjustment` says.")

    @model_validator(mode="after")
    def _is_an_interval(self) -> Self:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"lower {self.lower:g} is not below upper {self.upper:g}")
        return self

    @property
    def is_bounded(self) -> bool:
        """On one side at least; else it begins at the threshold."""
        return self.lower is not None or self.upper is not None


def require_adjoining(steps: Sequence[Step]) -> None:
    """Refuse several steps that Application Auto Scaling refuses. Raises ValueError: they overlap, or leave a gap."""
    ranges = sorted(
        (-math.inf if step.lower is None else step.lower, math.inf if step.upper is None else step.upper)
        for step in steps
    )
    for (_, high), (low, _) in itertools.pairwise(ranges):
        if low != high:
            raise ValueError(f"the steps {'overlap' if low < high else 'leave a gap'}, which Auto Scaling refuses")
