"""The load, phase by phase. A phase is one key, its kind, over its settings: `- poisson: {rate: 3/s, for: 10m}`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from smbench.scenario.quantities import Hertz, PositiveHertz, PositiveSeconds, Seconds
from smbench.scenario.record import Part


class PhaseSettings(Part):
    """What every phase may say of itself."""

    name: str | None = Field(default=None, description="shown in tables and in the `phase` column")
    warmup: bool = Field(default=False, description="marked in the ledger, left out of the figures")


class Constant(PhaseSettings):
    """Evenly spaced arrivals."""

    rate: PositiveHertz
    for_s: PositiveSeconds = Field(alias="for")


class Poisson(PhaseSettings):
    """Independent arrivals: exponential gaps."""

    rate: PositiveHertz
    for_s: PositiveSeconds = Field(alias="for")


class Ramp(PhaseSettings):
    """The rate changes linearly."""

    from_hz: Hertz = Field(alias="from")
    to_hz: Hertz = Field(alias="to")
    for_s: PositiveSeconds = Field(alias="for")
    arrivals: Literal["poisson", "constant"] = "poisson"

    @model_validator(mode="after")
    def _not_idle(self) -> Self:
        if self.from_hz == 0 and self.to_hz == 0:
            raise ValueError("a ramp from 0 to 0 sends nothing; use pause")
        return self


class Steps(PhaseSettings):
    """One rate after another, each held equally long."""

    rates: tuple[Hertz, ...] = Field(min_length=1)
    each: PositiveSeconds
    arrivals: Literal["poisson", "constant"] = "poisson"


class Burst(PhaseSettings):
    """This many requests, spread evenly over a span; a span of 0 makes them simultaneous."""

    requests: int = Field(ge=1)
    within: Seconds = 0.0


class Sine(PhaseSettings):
    """The rate swings around a mean: mean + amplitude * sin(2 pi t / period), starting at the mean, rising."""

    mean: PositiveHertz
    amplitude: Hertz
    period: PositiveSeconds
    for_s: PositiveSeconds = Field(alias="for")
    arrivals: Literal["poisson", "constant"] = "poisson"

    @model_validator(mode="after")
    def _never_negative(self) -> Self:
        if self.amplitude > self.mean:
            raise ValueError("amplitude above the mean would make the rate negative")
        return self


class Replay(PhaseSettings):
    """Arrivals as they were recorded. Fewer are taken at random, more are added as shifted copies; the time axis
    is never compressed."""

    trace: str = Field(description="CSV or JSON lines, beside the scenario file")
    column: str | None = Field(default=None, description="the time column; found by its name or values when absent")
    counts: str | None = Field(default=None, description="column of counts per bin, where rows are bins")
    unit: Literal["auto", "s", "ms", "us", "ns"] = Field(default="auto", description="unit of a numeric time column")
    rate: PositiveHertz | None = Field(default=None, description="wanted mean rate")
    scale: float | None = Field(default=None, gt=0, le=1000, description="wanted rate as a multiple of the trace's")
    start: Seconds = Field(default=0.0, description="skip this much of the trace")
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="take this much; default: all")

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.rate is not None and self.scale is not None:
            raise ValueError("give rate or scale, not both")
        return self


class Closed(PhaseSettings):
    """N inferences outstanding: each end releases the next. Not an open loop; the report says so."""

    outstanding: int = Field(ge=1)
    requests: int = Field(ge=1)
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="stop releasing after this long")


class Pause(PhaseSettings):
    """Nothing is sent."""

    for_s: PositiveSeconds = Field(alias="for")


KINDS = ("constant", "poisson", "ramp", "steps", "burst", "sine", "replay", "closed", "pause")


class Phase(Part):
    """Exactly one kind of load."""

    constant: Constant | None = None
    poisson: Poisson | None = None
    ramp: Ramp | None = None
    steps: Steps | None = None
    burst: Burst | None = None
    sine: Sine | None = None
    replay: Replay | None = None
    closed: Closed | None = None
    pause: Pause | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(named) != 1:
            raise ValueError(f"a phase names exactly one kind, not {len(named)}: {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def settings(self) -> Constant | Poisson | Ramp | Steps | Burst | Sine | Replay | Closed | Pause:
        settings: Constant | Poisson | Ramp | Steps | Burst | Sine | Replay | Closed | Pause = getattr(self, self.kind)
        return settings
