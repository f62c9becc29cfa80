"""How far a run's percentiles may be from the endpoint's own: an interval where one can be had, else why none."""

from pydantic import BaseModel, ConfigDict


class Interval(BaseModel):
    """A 95 % interval of a percentile. `high_s` None where `low_s` is a number: nothing is known above it.

    Both None: not estimable, and `reason` says why; `method` is empty then.
    """

    model_config = ConfigDict(frozen=True)

    low_s: float | None
    high_s: float | None
    method: str = ""
    reason: str = ""

    @classmethod
    def none(cls, reason: str) -> "Interval":
        return cls(low_s=None, high_s=None, reason=reason)
