"""The state in which a run finds the emulated endpoint: what its alarms remember, a cooldown, a change under way.

Without it every run would begin on a quiet endpoint whose alarms know nothing, which no real endpoint is.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.values.quantities import Number, Seconds, Whole
from smbench.scenario.values.record import Part

HISTORY_MAX_MINUTES = 1440


class InitialCooldown(Part):
    """A cooldown that a scaling activity before the run left behind."""

    after: Literal["out", "in"] = Field(description="the direction of the activity that it follows")
    left: Seconds = Field(description="until it ends, from the beginning of the run")


class InitialActivity(Part):
    """A scaling activity that is under way when the run begins."""

    to: Whole = Field(ge=0, le=1000, description="the instance count that was asked for, from `instances.start`")
    began: Seconds = Field(
        default=0.0, description="how long before the run; what `provision` or `remove` exceeds is left"
    )


class AlarmSeconds(Part):
    """When in each minute the alarms of one policy are evaluated."""

    policy: Whole = Field(ge=0, le=1000, description="its place among `policies`, from 0")
    high: Annotated[Seconds, Field(lt=60)] | None = Field(
        default=None, description="AlarmHigh, or the one alarm of a step policy; default: drawn"
    )
    low: Annotated[Seconds, Field(lt=60)] | None = Field(default=None, description="AlarmLow; default: drawn")


class Initial(Part):
    """What happened before the run. `backlog` is older than `idle`."""

    backlog: tuple[Number, ...] = Field(
        default=(),
        max_length=HISTORY_MAX_MINUTES,
        description="average ApproximateBacklogSize of each minute that the alarms remember, the oldest first",
    )
    idle: Seconds = Field(
        default=0.0,
        le=60.0 * HISTORY_MAX_MINUTES,
        description="no requests for so long before the run, in whole minutes",
    )
    cooldown: InitialCooldown | None = Field(default=None, description="a cooldown that is on")
    activity: InitialActivity | None = Field(default=None, description="a scaling activity that is under way")

    alarm_seconds: tuple[AlarmSeconds, ...] = Field(
        default=(),
        max_length=100,
        description="the second of each minute at which alarms are evaluated, where it is known; "
        "others are drawn from `open_questions.alarm_phase`",
    )

    @model_validator(mode="after")
    def _not_below_zero(self) -> Self:
        if any(value < 0 for value in self.backlog):
            raise ValueError("a backlog is not below zero")
        return self

    @property
    def minutes(self) -> tuple[float, ...]:
        """The average backlog of each whole minute before the run, the oldest first; empty: the alarms know nothing."""
        return (*self.backlog, *[0.0] * int(self.idle // 60))
