"""Laws of durations as a scenario names them; `model.service` draws from them."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from smbench.scenario.values.files import ExistingFile
from smbench.scenario.values.quantities import Number, PositiveSeconds, Seconds, Whole
from smbench.scenario.values.record import EXACTLY_ONE_KEY, Part


class Lognormal(Part):
    """Lognormal: exp(N(ln median, sigma^2)) seconds.

    Given by its median, or by its mean, which is median * exp(sigma^2 / 2).
    """

    median: PositiveSeconds | None = Field(default=None, description="Half of the draws are below it.")
    mean: PositiveSeconds | None = Field(default=None, description="Mean of the draws, instead of `median`.")
    sigma: Number = Field(
        ge=0,
        le=5,
        description=(
            "Standard deviation of the logarithm: at 0.3 two thirds of the draws lie within 0.74 and 1.35 times"
            " the median."
        ),
    )

    @model_validator(mode="after")
    def _one_centre(self) -> Self:
        if (self.median is None) == (self.mean is None):
            raise ValueError("must have either median or mean")
        return self

    @property
    def median_s(self) -> float:
        """The median, given or from the mean."""
        return self.median if self.median is not None else (self.mean or 0.0) * math.exp(-(self.sigma**2) / 2)


class Gamma(Part):
    """Gamma, by its mean and its coefficient of variation."""

    mean: PositiveSeconds = Field(description="Mean of the draws.")
    cv: Number = Field(gt=0, le=20, description="Standard deviation over mean; 1 is exponential.")


class Exponential(Part):
    """Exponential, by its mean: the service law of the M/M/c queue."""

    mean: PositiveSeconds = Field(description="Mean of the draws.")


class Uniform(Part):
    """Any duration between two, all equally likely."""

    low: Seconds = Field(description="The shortest draw.")
    high: Seconds = Field(description="The longest draw.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        return self


class Empirical(Part):
    """Drawn from measured durations: the cells of a CSV column, or the lines of a text file."""

    file: ExistingFile = Field(description="CSV or plain text, beside the scenario file.")
    column: str | None = Field(default=None, description="Name of the column. Default: the first.")
    unit: Literal["s", "ms", "us"] = Field(default="s", description="Unit of the numbers in the file.")
    block: Whole = Field(
        default=1,
        ge=1,
        le=10_000,
        description="Draw so many neighbouring rows together, so that their correlation survives.",
    )
    scale: Number = Field(default=1.0, gt=0, le=1000, description="Each duration is multiplied by this.")


class _OneLaw(Part):
    """Exactly one of its fields is given, and a plain duration is that of `constant`."""

    model_config = ConfigDict(json_schema_extra={**EXACTLY_ONE_KEY})

    constant: Seconds | None = Field(default=None, description="Always the same duration.")

    @model_validator(mode="before")
    @classmethod
    def _plain_duration(cls, value: Any) -> Any:
        return {"constant": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"must name exactly one law, not {len(named)}: {', '.join(type(self).model_fields)}")
        return self


class Distribution(_OneLaw):
    """Exactly one law. A plain duration means a constant."""

    lognormal: Lognormal | None = None
    gamma: Gamma | None = None
    exponential: Exponential | None = None
    uniform: Uniform | None = None
    empirical: Empirical | None = None


class Think(_OneLaw):
    """How long a user thinks before the next request: exactly one law. A plain duration means a constant."""

    uniform: Uniform | None = None
    exponential: Exponential | None = None

    @property
    def mean_s(self) -> float:
        """The mean of the law."""
        if self.uniform is not None:
            return (self.uniform.low + self.uniform.high) / 2
        return self.exponential.mean if self.exponential is not None else self.constant or 0.0


def _one_law_or_by_class(value: Any) -> Any:
    if isinstance(value, dict) and "by_class" in value:
        return value
    return {"by_class": {"": value}}


class ServiceLaw(Part):
    """Service time by payload class. The class "" is the law of every payload that is not named."""

    by_class: dict[str, Distribution] = Field(
        min_length=1, description='A law for each payload class, by its name. The class "" is for all others.'
    )

    def of(self, payload_class: str) -> Distribution:
        """The law of a class; of one without a law of its own that of "", or the first where there is no such law."""
        return self.by_class.get(payload_class) or self.by_class.get("") or next(iter(self.by_class.values()))


Service = Annotated[ServiceLaw, BeforeValidator(_one_law_or_by_class)]
