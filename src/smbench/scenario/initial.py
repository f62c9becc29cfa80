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

    after: Literal["out", "in"] = Field(description="The direction of that scaling activity.")
    left: Seconds = Field(description="How long after the beginning of the run the cooldown ends.")


class InitialActivity(Part):
    """A scaling activity that is under way when the run begins."""

    to: Whole = Field(ge=0, le=1000, description="The number of instances that it leads to, from `instances.start`.")
    began: Seconds = Field(
        default=0.0,
        description=(
            "How long before the run it began. It ends when `provision` or `remove`, counted from there, is over."
        ),
    )


class AlarmSeconds(Part):
    """The second of each minute at which the alarms of one policy are evaluated."""

    policy: Whole = Field(ge=0, le=1000, description="Which of `policies`; the first is 0.")
    high: Annotated[Seconds, Field(lt=60)] | None = Field(
        default=None, description="Of AlarmHigh, or of the one alarm of a step policy. Default: drawn."
    )
    low: Annotated[Seconds, Field(lt=60)] | None = Field(default=None, description="Of AlarmLow. Default: drawn.")


class Initial(Part):
    """What happened before the run. The minutes of `backlog` lie before those of `idle`."""

    backlog: tuple[Number, ...] = Field(
        default=(),
        max_length=HISTORY_MAX_MINUTES,
        description=(
            "Average ApproximateBacklogSize of each minute that the alarms remember, the oldest first, such as "
            "`[0, 12, 40]`."
        ),
    )
    idle: Seconds = Field(
        default=0.0,
        le=60.0 * HISTORY_MAX_MINUTES,
        description="For how long before the run no request came. Counted in whole minutes.",
    )
    cooldown: InitialCooldown | None = Field(
        default=None, description="A cooldown that is not over when the run begins."
    )
    activity: InitialActivity | None = Field(
        default=None, description="A scaling activity that is under way when the run begins."
    )

    alarm_seconds: tuple[AlarmSeconds, ...] = Field(
        default=(),
        max_length=100,
        description=(
            "When in each minute alarms are evaluated, where it is known. The others are drawn from "
            "`open_questions.alarm_phase`."
        ),
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
