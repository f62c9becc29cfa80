"""A fitted parameter: its value, how sure it is, what it was read from, and what could not be known."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Source(StrEnum):
    """What a parameter was read from. The values are written into files and do not change."""

    CLIENT = "L0"  # submissions and ends, as a client sees them
    NOTICES = "L1"  # the instants in notifications
    SCALING = "L2"  # scaling activities, alarm history, looks at the instances
    CLOUDWATCH = "L3"  # datapoints, and when they could be read
    SET = "set"  # a setting of the endpoint, as its description says
    ASSUMED = "assumed"  # these runs cannot say


class Parameter(BaseModel):
    """One parameter. `value` None: these runs cannot say, and `note` is the reason."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float | str | None
    unit: str = ""  # s, /s, share, or empty
    error: float | None = None  # standard error of `value`, in its unit; None: not a mean of several observations
    n: int = 0  # observations
    source: Source
    note: str = ""


def assumed(name: str, value: float | str | None, unit: str, why: str) -> Parameter:
    """A parameter that these runs cannot say; `value` is what the model takes in its place."""
    return Parameter(name=name, value=value, unit=unit, source=Source.ASSUMED, note=why)
