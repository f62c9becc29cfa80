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
ARRIVALS = "poisson: independent arrivals at the rate of the moment; constant: spaced as evenly as it allows"


class PhaseSettings(Part):
    """What every phase may say of itself."""

    name: str | None = Field(default=None, description="shown in tables and in the `phase` column")
    warmup: Switch = Field(default=False, description="marked in the ledger, left out of the figures")


class Stop(Part):
    """Where a phase ends the sending by itself. Judged at the end of each step, of users after each minute.

    Errors and latency are judged where at least ten requests ended. What failed, and what is open for longer than the
    limit, counts as longer.
    """

    invocations_per_minute: Annotated[Number, Field(gt=0, le=1e9)] | None = Field(
        default=None, description="so many were sent in a minute or more (MaxInvocations)"
    )
    p50: PositiveSeconds | None = Field(default=None, description="half of the ends took longer, from schedule")
    p90: PositiveSeconds | None = Field(default=None, description="a tenth took longer")
    p95: PositiveSeconds | None = Field(default=None, description="a twentieth took longer")
    p99: PositiveSeconds | None = Field(default=None, description="a hundredth took longer")
    errors: Share | None = Field(default=None, description="a larger share of the ends was no completion")
    flat: Share | None = Field(
        default=None,
        description="a step raised the completions per second by less than this share of what it raised the load by "
        "(FlatInvocations); of steps and stairs",
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


STOP = "where the phase ends the sending by itself; default: nowhere"


class Constant(PhaseSettings):
    """Evenly spaced arrivals."""

    rate: PositiveHertz = Field(description="arrivals per second")
    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts")


class Poisson(PhaseSettings):
    """Independent arrivals: exponential gaps."""

    rate: PositiveHertz = Field(description="arrivals per second")
    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts")


class Ramp(PhaseSettings):
    """The rate changes linearly."""

    from_hz: Hertz = Field(alias="from", description="rate at the phase's start")
    to_hz: Hertz = Field(alias="to", description="rate at the phase's end")
    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts")
    arrivals: Literal["poisson", "constant"] = Field(default="poisson", description=ARRIVALS)

    @model_validator(mode="after")
    def _not_idle(self) -> Self:
        if self.from_hz == 0 and self.to_hz == 0:
            raise ValueError("a ramp from 0 to 0 sends nothing; use pause")
        return self


class Steps(PhaseSettings):
    """One rate after another, each held equally long."""

    rates: tuple[Hertz, ...] = Field(min_length=1, description="the rates, in order")
    each: PositiveSeconds = Field(description="how long each is held")
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
    """This many requests, spread evenly over a span; a span of 0 makes them simultaneous."""

    requests: Whole = Field(ge=1, le=REQUESTS_MAX, description="how many")
    within: Seconds = Field(default=0.0, description="the span they are spread over")


class Sine(PhaseSettings):
    """The rate swings around a mean: mean + amplitude * sin(2 pi t / period), starting at the mean, rising."""

    mean: PositiveHertz = Field(description="rate the wave swings around")
    amplitude: Hertz = Field(description="how far it swings, at most the mean")
    period: PositiveSeconds = Field(description="length of one wave")
    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts")
    arrivals: Literal["poisson", "constant"] = Field(default="poisson", description=ARRIVALS)

    @model_validator(mode="after")
    def _never_negative(self) -> Self:
        if self.amplitude > self.mean:
            raise ValueError("amplitude above the mean would make the rate negative")
        return self


class Replay(PhaseSettings):
    """Arrivals as they were recorded. Fewer are taken at random, more are added as shifted copies; the time axis
    is never compressed."""

    trace: ExistingFile = Field(
        description="CSV, JSON lines, parquet, Arrow, CloudWatch's answers; gzip, zstd, bzip2 or xz; beside the "
        "scenario file"
    )
    column: str | None = Field(
        default=None,
        description="the time column, of nested JSON `request.arrival_time`; found by its name or values when absent",
    )
    counts: str | None = Field(default=None, description="column of counts per bin, where rows are bins")
    duration: str | None = Field(
        default=None,
        description="column to be taken from the time column, where that holds ends: start = end - duration",
    )
    unit: Literal["auto", "s", "ms", "us", "ns"] = Field(default="auto", description="unit of a numeric time column")
    gap_max: PositiveSeconds | None = Field(
        default=None, description="a longer time without an arrival is cut to this; default: none is"
    )
    rate: PositiveHertz | None = Field(default=None, description="wanted mean rate")
    scale: Annotated[Number, Field(gt=0, le=1000)] | None = Field(
        default=None, description="wanted rate as a multiple of the trace's"
    )
    start: Seconds = Field(default=0.0, description="skip this much of the trace")
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="take this much; default: all")

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.rate is not None and self.scale is not None:
            raise ValueError("give rate or scale, not both")
        return self


class Closed(PhaseSettings):
    """N inferences outstanding: each end releases the next. Not an open loop; the report says so."""

    outstanding: Whole = Field(ge=1, le=100_000, description="how many are kept open")
    requests: Whole = Field(ge=1, le=REQUESTS_MAX, description="how many in all")
    for_s: PositiveSeconds | None = Field(default=None, alias="for", description="stop releasing after this long")

    @model_validator(mode="after")
    def _enough_to_keep_open(self) -> Self:
        if self.requests < self.outstanding:
            raise ValueError(f"{self.requests} requests can never keep {self.outstanding} outstanding")
        return self


class UserSettings(PhaseSettings):
    """What phases of users have in common."""

    think: Think = Field(
        default=Think(constant=0.0), description="from a request's end to the same user's next request; default: none"
    )
    requests: Whole | None = Field(
        default=None,
        ge=1,
        le=REQUESTS_MAX,
        description="how many at most; default: 10 in each second of a user who does not think, as many less as "
        "thinking takes",
    )
    stop: Stop | None = Field(default=None, description=STOP)


class Users(UserSettings):
    """Users who each send a request, wait for its end, think, and send the next, as in Inference Recommender's phases.

    Not an open loop; the report says so.
    """

    initial: Whole = Field(ge=1, le=USERS_MAX, description="users at the phase's start (InitialNumberOfUsers)")
    per_minute: Annotated[Number, Field(ge=0, le=60_000)] = Field(
        default=0.0, description="users who join in a minute, evenly spread (SpawnRate)"
    )
    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts (DurationInSeconds)")

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

    users: Whole = Field(ge=1, le=USERS_MAX, description="users who join with each step (UsersPerStep)")
    steps: Whole = Field(ge=1, le=1_000, description="how many steps (NumberOfSteps)")
    each: PositiveSeconds = Field(description="how long each step lasts (DurationInSeconds)")

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
    """Nothing is sent."""

    for_s: PositiveSeconds = Field(alias="for", description="how long the phase lasts")


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
