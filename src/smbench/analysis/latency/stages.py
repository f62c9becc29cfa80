"""A request's time by stage: from the instant it was due to the instant we learned of its end.

AWS reports neither queue wait nor service: both are reconstructed (`slots`); where they cannot be, the stage says why.
"""

from enum import StrEnum
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, PlainSerializer, computed_field

from smbench import units
from smbench.analysis.capacity.slots import Mask, Slots
from smbench.analysis.numbers.bounds import Distribution, distribution
from smbench.analysis.numbers.known import why_unknown
from smbench.analysis.rows.columns import acknowledgements, ended_as, seconds
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Unknown

UNORDERED_MIN = 0.05  # of the requests; fewer change no percentile by much
FOLLOWED_MIN = 0.9  # of the requests; else the rest's waiting times are not those of all


NothingKnown = Annotated[Unknown, PlainSerializer(lambda _stage: distribution(np.empty(0)), return_type=Distribution)]


class StageName(StrEnum):
    """The stages, in the order in which a request goes through them."""

    SCHEDULE_LAG = "schedule lag"
    SUBMIT = "submit"
    QUEUE_WAIT = "queue wait"
    SERVICE = "service"
    NOTIFICATION = "notification"
    OBSERVER_LAG = "observer lag"


INSIDE_THE_ENDPOINT = (StageName.QUEUE_WAIT, StageName.SERVICE)  # reconstructed


class Stage(BaseModel):
    """One stage of a request's way."""

    model_config = ConfigDict(frozen=True)

    name: str
    meaning: str
    distribution: Distribution | NothingKnown
    left_out: str = ""  # which requests, and why; empty: none

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def reason(self) -> str:
        """Why nothing, or not everything, is known of it; empty when all is."""
        return why_unknown(self.distribution) or self.left_out

    @property
    def spread(self) -> Distribution:
        """The distribution; an empty one where nothing is known."""
        return distribution(np.empty(0)) if isinstance(self.distribution, Unknown) else self.distribution

    @property
    def n(self) -> int:
        """How many requests it is known of."""
        return self.spread.n


def stages(frames: Frames, reconstructed: Slots | Unknown) -> tuple[Stage, ...]:
    """The six stages, in the order in which a request goes through them.

    Args:
        reconstructed: What `slots` made of the run.
    """
    measured = frames.measured
    submitted = acknowledgements(measured)
    return (
        Stage(
            name=StageName.SCHEDULE_LAG.value,
            meaning="send - sched: how late we were",
            distribution=distribution(seconds(measured, "schedule_lag_ns")),
        ),
        Stage(
            name=StageName.SUBMIT.value,
            meaning="ack - send: the call, until the endpoint has taken the request",
            distribution=distribution(submitted.known_s, never_s=submitted.never_s),
        ),
        *_inside(frames, reconstructed),
        Stage(
            name=StageName.NOTIFICATION.value,
            meaning="pub - done: SageMaker's and SNS's part of telling",
            distribution=_published(measured, "notification_ns"),
        ),
        Stage(
            name=StageName.OBSERVER_LAG.value,
            meaning="seen - pub: the queue's part and ours",
            distribution=_published(measured, "observer_lag_ns"),
        ),
    )


def _published(measured: pl.DataFrame, column: str) -> Distribution | Unknown:
    if not (measured["end_from"] == "notice").any():
        return Unknown("no notice came")
    if not measured["notification_ns"].count():
        return Unknown("no notice says when it was published")
    return distribution(seconds(measured, column))


def _inside(frames: Frames, reconstructed: Slots | Unknown) -> tuple[Stage, Stage]:
    why_wait = why_service = ""
    wait: Distribution | Unknown
    service: Distribution | Unknown
    if isinstance(reconstructed, Unknown):
        wait = service = reconstructed
    else:
        wait, service = _wait(frames, reconstructed), _service(reconstructed)
        why_wait, why_service = _why_left_out(reconstructed)
        followed = reconstructed.is_known[reconstructed.is_measured]
        if followed.sum() < FOLLOWED_MIN * len(followed):  # those left out are the later ones, which waited longest
            wait = Unknown(f"not stated where fewer than {FOLLOWED_MIN:.0%} are followed: {why_wait}")
    return (
        Stage(
            name=StageName.QUEUE_WAIT.value,
            meaning="received, until an instance started it (reconstructed)",
            distribution=wait,
            left_out=why_wait,
        ),
        Stage(
            name=StageName.SERVICE.value,
            meaning="in an instance, until its end (reconstructed)",
            distribution=service,
            left_out=why_service,
        ),
    )


def _why_left_out(reconstructed: Slots) -> tuple[str, str]:
    """Of the queue wait and of the service, empty where none was left out."""
    lost = "an instance left during its work, or an end was not reported to the millisecond"
    why_wait = _left_out(reconstructed.is_measured & ~reconstructed.is_known, lost)
    between = "while instances came between two looks"
    why_service = _left_out(
        reconstructed.is_measured & ~reconstructed.is_sharp & (reconstructed.has_begun | ~reconstructed.is_known),
        f"{lost}, or {between}" if why_wait else between,
    )
    return why_wait, "; ".join(part for part in (why_service, _why_unordered(reconstructed)) if part)


def _why_unordered(reconstructed: Slots) -> str:
    """Their services may be exchanged among them, which changes percentiles and not the mean."""
    n = int((reconstructed.is_measured & ~reconstructed.is_ordered).sum())
    if n < UNORDERED_MIN * reconstructed.is_measured.sum():
        return ""
    return f"{n:,} requests were received at the same instant as others: which of them began first is not known"


def _left_out(rows: Mask, why: str) -> str:
    n = int(rows.sum())
    return f"{units.counted(n, 'request')} left out: {why}" if n else ""


def _wait(frames: Frames, reconstructed: Slots) -> Distribution:
    """Of those that began, and of those that still waited; one that expired in the queue never begins."""
    chosen = reconstructed.is_known & reconstructed.is_measured
    began, waits = chosen & reconstructed.has_begun, chosen & ~reconstructed.has_begun
    has_expired = ended_as(frames.measured, Outcome.EXPIRED)
    return distribution(
        (reconstructed.began_ns - reconstructed.arrived_ns)[began] / 1e9,
        censored_s=(reconstructed.end_ns - reconstructed.arrived_ns)[waits].clip(0) / 1e9,
        never_s=seconds(frames.measured, "service_age_ns", has_expired),
    )


def _service(reconstructed: Slots) -> Distribution:
    """Of those that completed; longer than their age for those at work still; a failed one never completes."""
    chosen = reconstructed.is_sharp & reconstructed.is_measured
    is_over = reconstructed.ended_ns <= reconstructed.end_ns
    worked_s = (np.minimum(reconstructed.ended_ns, reconstructed.end_ns) - reconstructed.began_ns).clip(0) / 1e9
    completed = chosen & reconstructed.is_completed
    doubt_s = reconstructed.doubt_ns / 1e9
    return distribution(
        worked_s[completed],
        censored_s=worked_s[chosen & ~is_over],
        never_s=worked_s[chosen & is_over & ~reconstructed.is_completed],
        least_s=(worked_s - doubt_s)[completed].clip(0) if doubt_s.any() else None,
    )
