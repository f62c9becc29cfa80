"""What stands out in how the endpoint behaved. It says nothing of whether the run may be believed: checks do."""

from pydantic import BaseModel, ConfigDict


class Observation(BaseModel):
    """One thing that stands out: what was seen, what to do about it, and when it began, seconds of the run."""

    model_config = ConfigDict(frozen=True)

    name: str
    seen: str
    advice: str = ""
    at_s: float | None = None
