"""The slowest requests, each with what stood in its way."""

from pydantic import BaseModel, ConfigDict


class Slow(BaseModel):
    """One of the slowest. `age_s` is from due to its end, or, where it has none, to the end of the run."""

    model_config = ConfigDict(frozen=True)

    seq: int
    phase: str
    outcome: str
    sched_s: float
    age_s: float
    ahead: int  # in the system when it was received
    instances: int | None  # serving then
    served_after_s: float | None  # until an instance served, where none did; None: one did, or none ever
    event: str  # what was going on with capacity; empty: nothing
