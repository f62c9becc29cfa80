"""Laws of durations as a scenario names them; `model.service` draws from them."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from smbench.scenario.quantities import PositiveSeconds, Seconds
from smbench.scenario.record import Part


class Lognormal(Part):
    """exp(N(ln median, sigma^2)) seconds."""

    median: PositiveSeconds
    sigma: float = Field(ge=0, le=5, description="standard deviation of the logarithm")


class Gamma(Part):
    """Gamma with this mean and coefficient of variation."""

    mean: PositiveSeconds
    cv: float = Field(gt=0, le=20, description="standard deviation over mean")


class Exponential(Part):
    mean: PositiveSeconds


class Uniform(Part):
    low: Seconds
    high: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        return self


class Empirical(Part):
    """Resampled from measured seconds: the rows of a CSV column, or the lines of a plain file."""

    file: str
    column: str | None = Field(default=None, description="column name; the first column when absent")
    unit: str = Field(default="s", pattern="^(s|ms|us)$", description="unit of the numbers in the file")


class Distribution(Part):
    """Exactly one law. A plain duration means a constant."""

    constant: Seconds | None = None
    lognormal: Lognormal | None = None
    gamma: Gamma | None = None
    exponential: Exponential | None = None
    uniform: Uniform | None = None
    empirical: Empirical | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_duration(cls, value: Any) -> Any:
        return {"constant": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"name exactly one law, not {len(named)}: {', '.join(type(self).model_fields)}")
        return self


def _one_law_or_by_class(value: Any) -> Any:
    if isinstance(value, dict) and "by_class" in value:
        return value
    return {"by_class": {"": value}}


class ServiceLaw(Part):
    """Service time by payload class. The class "" is the law of every payload that is not named."""

    by_class: dict[str, Distribution]

    @model_validator(mode="after")
    def _has_a_law(self) -> Self:
        if not self.by_class:
            raise ValueError("name at least one payload class")
        return self


Service = Annotated[ServiceLaw, BeforeValidator(_one_law_or_by_class)]
