"""Scaling policies as arithmetic: how many instances a policy wants, given what there is and what its alarm saw.

Sources: Application Auto Scaling user guide, "Target tracking" and "Step scaling"; what the guide leaves out (how
tracking rounds, what it multiplies at zero) follows science and is said in its place.
"""

import math
from dataclasses import dataclass

from smbench.model.monitoring.metrics import MetricId
from smbench.model.monitoring.series import MINUTE_S
from smbench.model.monitoring.watched import MetricQuery

CHANGE = "ChangeInCapacity"
EXACT = "ExactCapacity"
PERCENT = "PercentChangeInCapacity"

_DEFAULT_COOLDOWN_S = 300.0  # of SageMaker variants, both ways
_ROUNDING = 1e-9  # 3 * 0.1 / 0.1 is 3, and must not become 4


@dataclass(frozen=True, slots=True)
class TrackingSpec:
    """Keep a metric, or what `queries` make of several, near a value: it must be inversely proportional to capacity.

    Attributes:
        out_period_s: Of AlarmHigh; AlarmLow goes by minutes.
    """

    target: float
    metric: MetricId | None  # None: what the queries return
    statistic: str = "Average"
    unit: str | None = None
    out_cooldown_s: float = _DEFAULT_COOLDOWN_S
    in_cooldown_s: float = _DEFAULT_COOLDOWN_S
    disable_scale_in: bool = False
    queries: tuple[MetricQuery, ...] = ()
    out_period_s: int = MINUTE_S


@dataclass(frozen=True, slots=True)
class StepAdjustment:
    """What to do when the metric is this far from the alarm's threshold; None: without bound."""

    change: int
    lower: float | None = None
    upper: float | None = None

    def covers(self, distance: float, *, is_above: bool) -> bool:
        """Above the threshold the lower bound is inclusive and the upper exclusive; below it is the other way."""
        lower = -math.inf if self.lower is None else self.lower
        upper = math.inf if self.upper is None else self.upper
        return lower <= distance < upper if is_above else lower < distance <= upper


@dataclass(frozen=True, slots=True)
class StepSpec:
    """Change capacity by the step that covers the breach."""

    adjustment: str  # ChangeInCapacity | ExactCapacity | PercentChangeInCapacity
    steps: tuple[StepAdjustment, ...]
    cooldown_s: float = _DEFAULT_COOLDOWN_S
    aggregation: str = "Average"
    min_magnitude: int | None = None


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """One policy of one scalable target; either tracking or steps."""

    resource_id: str  # endpoint/NAME/variant/NAME
    name: str
    tracking: TrackingSpec | None = None
    step: StepSpec | None = None

    def cooldown_s(self, *, is_out: bool) -> float:
        """Seconds; a step policy has one for both directions."""
        if self.tracking is not None:
            return self.tracking.out_cooldown_s if is_out else self.tracking.in_cooldown_s
        assert self.step is not None, "a policy is tracking or steps"
        return self.step.cooldown_s


def tracked(capacity: int, value: float, target: float) -> int:
    """The capacity at which a metric inversely proportional to it would be at its target, rounded up.

    AWS calls its rounding conservative: up when scaling out; up too when scaling in, which keeps more. At zero
    instances it multiplies one, or nothing could ever grow.
    """
    return math.ceil(max(capacity, 1) * value / target - _ROUNDING)


def stepped(spec: StepSpec, capacity: int, value: float, threshold: float, *, is_alarm_above: bool) -> int | None:
    """The capacity that the step which covers the breach leads to, not cut to any limit; None when none does.

    Args:
        is_alarm_above: The alarm watches for values above its threshold; decides for a value right on it.
    """
    distance = value - threshold
    is_above = distance > 0 or (distance == 0 and is_alarm_above)
    step = next((step for step in spec.steps if step.covers(distance, is_above=is_above)), None)
    if step is None:
        return None
    if spec.adjustment == EXACT:
        return step.change
    change = step.change
    if spec.adjustment == PERCENT:
        change = rounded_percent(capacity * step.change / 100)
        if spec.min_magnitude is not None and step.change and abs(change) < spec.min_magnitude:
            change = spec.min_magnitude if step.change > 0 else -spec.min_magnitude  # also of no instances
    return capacity + change


def rounded_percent(change: float) -> int:
    """A percentage of instances as instances: towards zero, but never to zero."""
    if change == 0:
        return 0
    if -1 < change < 1:
        return 1 if change > 0 else -1
    return math.trunc(change)
