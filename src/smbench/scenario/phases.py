"""The load, phase by phase. A phase is one key, its kind, over its settings: `- poisson: {rate: 3/s, for: 10m}`."""

import math
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from smbench.scenario.values.distributions import Think
from smbench.scenario.values.files import ExistingFile
from smbench.scenario.values.quantities import (
    Hertz,
    Number,
    PositiveHertz,
    PositiveSeconds,
    Seconds,
    Share,
    Switch,
    Whole,
)
from smbench.scenario.values.record import EXACTLY_ONE_KEY, Part

USERS_MAX = 10_000  # of one phase; what more would ask for is an open loop's business
USER_RATE_MAX_HZ = 10.0  # requests of a user who does not think, where the scenario sets no bound
REQUESTS_MAX = 50_000_000  # the schedule is held in memory, 16 bytes a request
ARRIVALS = "poisson: independent arrivals at the rate of the moment. constant: as evenly spaced as the rate allows."


class PhaseSettings(Part):
    """What every phase may say of itself."""

    name: str | None = Field(
        default=None,
        description=(
            "Name of the phase in the report and in the `phase` column. Default: its kind, with a number from "
            "the second on, such as `poisson-2`."
        ),
    )
    warmup: Switch = Field(
        default=False, description="Mark the phase's requests as warm-up; the report's figures leave them out."
    )


class Stop(Part):
    """Where a phase ends the sending by itself.

    smbench judges at the end of each step, or of users after each minute; errors and latency only where at least
    ten requests ended. What failed, and what is open for longer than the limit, counts as longer.
    """

    invocations_per_minute: Annotated[Number, Field(gt=0, le=1e9)] | None = Field(
        default=None, description="Stop once so many requests or more were sent in a minute (MaxInvocations)."
    )
    p50: PositiveSeconds | None = Field(
        default=None, description="Stop once half of the ends took longer, counted from when they were due."
    )
    p90: PositiveSeconds | None = Field(default=None, description="Stop once a tenth of the ends took longer.")
    p95: PositiveSeconds | None = Field(default=None, description="Stop once a twentieth of the ends took longer.")
    p99: PositiveSeconds | None = Field(default=None, description="Stop once a hundredth of the ends took longer.")
    errors: Share | None = Field(
        default=None, description="Stop once more than this share of the ends was no completion."
    )
    flat: Share | None = Field(
        default=None,
        description=(
            "Stop once a step raised the completions per second by less than this share of what it raised the "
            "load by (FlatInvocations). Only of steps and stairs."
        ),
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self == Stop.model_construct():
            raise ValueError("names no condition")
        return self

    @property
    def latencies(self) -> tuple[tuple[float, float], ...]:
        """Percentile and limit in seconds, of those that are asked for."""
        asked = ((50, self.p50), (90, self.p90), (95, self.p95), (99, self.p99))
        return tuple((percent, limit) for percent, limit in asked if limit is not None)


STOP = "Where the phase ends the sending by itself. Default: nowhere."


class Constant(PhaseSettings):
    """Evenly spaced arrivals, such as `- constant: {rate: 2/s, for: 5m}`."""

    rate: PositiveHertz = Field(description="Arrivals per second.")
    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts.")


class Poisson(PhaseSettings):
    """Independent arrivals, whose gaps are exponential, such as `- poisson: {rate: 2/s, for: 5m}`."""

    rate: PositiveHertz = Field(description="Arrivals per second, on average.")
    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts.")


class Ramp(PhaseSettings):
    """A rate that changes linearly, such as `- ramp: {from: 0/s, to: 10/s, for: 5m}`."""

    from_hz: Hertz = Field(alias="from", description="Rate at the beginning of the phase.")
    to_hz: Hertz = Field(alias="to", description="Rate at its end.")
    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts.")
    arrivals: Literal["poisson", "constant"] = Field(default="poisson", description=ARRIVALS)

    @model_validator(mode="after")
    def _not_idle(self) -> Self:
        if self.from_hz == 0 and self.to_hz == 0:
            raise ValueError("a ramp from 0 to 0 sends nothing; use pause")
        return self


class Steps(PhaseSettings):
    """One rate after another, each for equally long, such as `- steps: {rates: [1/s, 2/s, 4/s], each: 5m}`."""

    rates: tuple[Hertz, ...] = Field(min_length=1, description="The rates, in order.")
    each: PositiveSeconds = Field(description="How long each rate lasts.")
    arrivals: Literal["poisson", "constant"] = Field(default="poisson", description=ARRIVALS)
    stop: Stop | None = Field(default=None, description=STOP)

    @property
    def levels(self) -> tuple[float, ...]:
        """What is offered in each step, requests a second."""
        return self.rates

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.stop is not None and self.stop.flat is not None and list(self.rates) != sorted(set(self.rates)):
            raise ValueError("a stop where the throughput is flat needs rates that rise with each step")
        if not any(self.rates):
            raise ValueError("steps of 0 alone send nothing; use pause")
        return self


class Burst(PhaseSettings):
    """So many requests, evenly spread over a span, such as `- burst: {requests: 600, within: 10s}`."""

    requests: Whole = Field(ge=1, le=REQUESTS_MAX, description="How many requests.")
    within: Seconds = Field(default=0.0, description="The span over which they are spread; at 0 all are due at once.")


class Sine(PhaseSettings):
    """A rate that swings around a mean: mean + amplitude * sin(2 pi t / period). It begins at the mean, rising."""

    mean: PositiveHertz = Field(description="The rate around which it swings.")
    amplitude: Hertz = Field(description="How far it swings to either side; at most the mean.")
    period: PositiveSeconds = Field(description="Length of one wave.")
    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts.")
    arrivals: Literal["poisson", "constant"] = Field(default="poisson", description=ARRIVALS)

    @model_validator(mode="after")
    def _never_negative(self) -> Self:
        if self.amplitude > self.mean:
            raise ValueError("amplitude above the mean would make the rate negative")
        return self


class Replay(PhaseSettings):
    """Arrivals as a trace recorded them, such as `- replay: {trace: day.csv, rate: 2/s}`.

    For a lower rate smbench leaves out arrivals at random, for a higher one it adds shifted copies; it never
    compresses the time axis.
    """

    trace: ExistingFile = Field(
        description=(
            "The trace, beside the scenario file: CSV, JSON lines, parquet, Arrow or an answer of CloudWatch; "
            "packed by gzip, zstd, bzip2, xz or not."
        )
    )
    column: str | None = Field(
        default=None,
        description=(
            "The column of arrival times; of nested JSON `request.arrival_time`. Default: found by its name or "
            "its values."
        ),
    )
    counts: str | None = Field(
        default=None, description="Column of counts, where each row is a span of time with so many arrivals."
    )
    duration: str | None = Field(
        default=None,
        description="Column of durations, where the time column holds ends: an arrival is its end less its duration.",
    )
    unit: Literal["auto", "s", "ms", "us", "ns"] = Field(
        default="auto", description="Unit of a time column of numbers. auto: by its name or its values."
    )
    gap_max: PositiveSeconds | None = Field(
        default=None, description="A longer time without an arrival is cut to this. Default: none is."
    )
    rate: PositiveHertz | None = Field(
        default=None, description="The mean rate that you want. Default: the trace's own."
    )
    scale: Annotated[Number, Field(gt=0, le=1000)] | None = Field(
        default=None, description="The rate that you want, as a multiple of the trace's: 0.5 sends half of it."
    )
    start: Seconds = Field(default=0.0, description="How much of the trace is skipped.")
    for_s: PositiveSeconds | None = Field(
        default=None, alias="for", description="How much of the trace is sent, from `start` on. Default: all."
    )

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.rate is not None and self.scale is not None:
            raise ValueError("give rate or scale, not both")
        return self


class Closed(PhaseSettings):
    """A closed loop: so many requests are open, and each end releases the next one.

    Not an open loop; the report says so.
    """

    outstanding: Whole = Field(ge=1, le=100_000, description="How many requests are open at once.")
    requests: Whole = Field(ge=1, le=REQUESTS_MAX, description="How many requests in all.")
    think: Think = Field(
        default=Think(constant=0.0), description="Time from a request's end to the one that it releases. Default: none."
    )
    for_s: PositiveSeconds | None = Field(
        default=None, alias="for", description="Release no more after this long. Default: no limit."
    )

    @model_validator(mode="after")
    def _enough_to_keep_open(self) -> Self:
        if self.requests < self.outstanding:
            raise ValueError(f"{self.requests} requests can never keep {self.outstanding} outstanding")
        return self


class UserSettings(PhaseSettings):
    """What phases of users have in common."""

    think: Think = Field(
        default=Think(constant=0.0),
        description="Time from a request's end to the same user's next request. Default: none.",
    )
    requests: Whole | None = Field(
        default=None,
        ge=1,
        le=REQUESTS_MAX,
        description=(
            "Requests in all, at most. Default: ten for each second of a user who does not think, fewer where "
            "thinking takes time."
        ),
    )
    stop: Stop | None = Field(default=None, description=STOP)


class Users(UserSettings):
    """Users who each send a request, wait for its end, think, and send the next, as in Inference Recommender's
    phases. Not an open loop; the report says so.
    """

    initial: Whole = Field(
        ge=1, le=USERS_MAX, description="Users at the beginning of the phase (InitialNumberOfUsers)."
    )
    per_minute: Annotated[Number, Field(ge=0, le=60_000)] = Field(
        default=0.0, description="Users who join in each minute, evenly spread (SpawnRate)."
    )
    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts (DurationInSeconds).")

    @property
    def length_s(self) -> float:
        """How long the phase lasts."""
        return self.for_s

    @property
    def joins_s(self) -> tuple[float, ...]:
        """When each user sends the first request, since the phase began."""
        n_joining = math.ceil(self.for_s * self.per_minute / 60 - 1e-9) - 1 if self.per_minute else 0
        return (0.0,) * self.initial + tuple(60 * (k + 1) / self.per_minute for k in range(n_joining))

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        n = self.initial + self.for_s * self.per_minute / 60
        if n > USERS_MAX:
            raise ValueError(f"come to {n:,.0f} users; a phase has at most {USERS_MAX:,}")
        if self.stop is not None and self.stop.flat is not None:
            raise ValueError("users have no steps whose throughput could be flat: use stairs")
        return self


class Stairs(UserSettings):
    """More users with each step, as in Inference Recommender's stairs. Not an open loop; the report says so."""

    users: Whole = Field(ge=1, le=USERS_MAX, description="Users who join with each step (UsersPerStep).")
    steps: Whole = Field(ge=1, le=1_000, description="How many steps (NumberOfSteps).")
    each: PositiveSeconds = Field(description="How long each step lasts (DurationInSeconds).")

    @property
    def length_s(self) -> float:
        """How long the phase lasts."""
        return self.each * self.steps

    @property
    def levels(self) -> tuple[float, ...]:
        """How many users there are in each step."""
        return tuple(float(self.users * (step + 1)) for step in range(self.steps))

    @property
    def joins_s(self) -> tuple[float, ...]:
        """When each user sends the first request, since the phase began."""
        return tuple(self.each * step for step in range(self.steps) for _ in range(self.users))

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if (n := self.users * self.steps) > USERS_MAX:
            raise ValueError(f"come to {n:,} users; a phase has at most {USERS_MAX:,}")
        return self


def requests_max(crowd: Users | Stairs) -> int:
    """How many requests a phase of users holds."""
    if crowd.requests is not None:
        return crowd.requests
    joins_s = crowd.joins_s
    users_s = len(joins_s) * crowd.length_s - sum(joins_s)  # for how long users are there, together
    return max(1, math.ceil(users_s / (1 / USER_RATE_MAX_HZ + crowd.think.mean_s)))


class Pause(PhaseSettings):
    """Nothing is sent, such as `- pause: {for: 2m}`."""

    for_s: PositiveSeconds = Field(alias="for", description="How long the phase lasts.")


Settings: TypeAlias = Constant | Poisson | Ramp | Steps | Burst | Sine | Replay | Closed | Users | Stairs | Pause
CLOSED_KINDS = ("closed", "users", "stairs")  # an end releases the next request


class Phase(Part):
    """Exactly one kind of load."""

    model_config = ConfigDict(json_schema_extra={**EXACTLY_ONE_KEY})

    constant: Constant | None = None
    poisson: Poisson | None = None
    ramp: Ramp | None = None
    steps: Steps | None = None
    burst: Burst | None = None
    sine: Sine | None = None
    replay: Replay | None = None
    closed: Closed | None = None
    users: Users | None = None
    stairs: Stairs | None = None
    pause: Pause | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(named) != 1:
            raise ValueError(f"must name exactly one kind of load, not {len(named)}: {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """The one key that says what the phase does."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def open_max(self) -> int:
        """How many requests it keeps open at once at the most; 0 where no end releases the next."""
        match self.settings:
            case Closed() as closed:
                return closed.outstanding
            case Users() | Stairs() as crowd:
                return len(crowd.joins_s)
        return 0

    @property
    def expected_requests(self) -> float | None:
        """How many requests the phase asks for, on average where chance decides; None where only the trace knows.

        Of users: how many at most.
        """
        match self.settings:
            case Constant() | Poisson() as even:
                return even.rate * even.for_s
            case Ramp() as ramp:
                return (ramp.from_hz + ramp.to_hz) / 2 * ramp.for_s
            case Steps() as steps:
                return sum(steps.rates) * steps.each
            case Burst() | Closed() as counted:
                return float(counted.requests)
            case Users() | Stairs() as crowd:
                return float(requests_max(crowd))
            case Sine() as sine:
                # The integral of the wave; the swing cancels over whole periods.
                swing = 1 - math.cos(math.tau * sine.for_s / sine.period)
                return sine.mean * sine.for_s + sine.amplitude * sine.period / math.tau * swing
            case Replay() as replay:
                return None if replay.rate is None or replay.for_s is None else replay.rate * replay.for_s
            case Pause():
                return 0.0

    @property
    def peak_hz(self) -> float | None:
        """The highest rate of a phase whose rate changes by design; None of others, and where only the trace knows."""
        match self.settings:
            case Ramp() as ramp:
                return max(ramp.from_hz, ramp.to_hz)
            case Steps() as steps:
                return max(steps.rates)
            case Sine() as sine:
                # The crest comes a quarter of the period after the start.
                return sine.mean + sine.amplitude * math.sin(math.tau * min(0.25, sine.for_s / sine.period))
        return None

    @property
    def planned_s(self) -> float | None:
        """How long the phase lasts; None where the trace, or the last end of a closed loop, decides."""
        match self.settings:
            case Steps() as steps:
                return steps.each * len(steps.rates)
            case Stairs() as stairs:
                return stairs.length_s
            case Burst() as burst:
                return burst.within
            case settings:
                return settings.for_s

    @property
    def settings(self) -> Settings:
        """The value under that key."""
        settings: Settings = getattr(self, self.kind)
        return settings

    @property
    def stop(self) -> Stop | None:
        """Where the phase ends the sending by itself; None: nowhere, or it is of a kind that cannot."""
        settings = self.settings
        return settings.stop if isinstance(settings, Steps | Users | Stairs) else None


KINDS = tuple(Phase.model_fields)
