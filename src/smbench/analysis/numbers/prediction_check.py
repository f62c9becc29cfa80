"""What became of a prediction: each figure that was predicted with its band, and the measured one beside it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from smbench.analysis.numbers.bounds import Bounded
from smbench.analysis.numbers.known import Missing

FigureUnit = Literal["s", "hz", "requests", "instance_s", "usd", "share"]


class PredictedFigure(BaseModel):
    """One figure; a bound of the band that is null is above every known value."""

    model_config = ConfigDict(frozen=True)

    metric: str  # of `compare`, or an objective as it is written
    label: str
    unit: FigureUnit
    median: float | None
    low: float | None
    high: float | None
    measured: Bounded | Missing
    is_inside: bool | None  # null: the measured figure is not known, or not exactly enough


class PredictionCheck(BaseModel):
    """A prediction held against the run that it was made for."""

    model_config = ConfigDict(frozen=True)

    prediction: str  # the name of its folder
    label: str  # how far the model can be trusted
    replications: int
    band_share: float  # of the next replications that lie within a band, on average
    figures: tuple[PredictedFigure, ...]
    notes: tuple[str, ...] = ()  # what the run had other than what was predicted

    @property
    def n_inside(self) -> int:
        """Figures within their bands."""
        return sum(one.is_inside is True for one in self.figures)

    @property
    def n_known(self) -> int:
        """Figures that are inside or outside."""
        return sum(one.is_inside is not None for one in self.figures)
