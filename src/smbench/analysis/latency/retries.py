"""What retries hid: the tries that were refused, the calls that they added, and how long requests waited for them."""

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.numbers.bounds import Distribution, distribution
from smbench.analysis.rows.columns import only
from smbench.analysis.rows.frames import Frames
from smbench.analysis.rows.retried import refused_tries


class RefusedTries(BaseModel):
    """Tries that were refused for one cause, and followed by another."""

    model_config = ConfigDict(frozen=True)

    state: str  # throttled, refused, unanswered
    cause: str
    n: int


class Wave(BaseModel):
    """Requests that the endpoint took at their n-th try: they came to it so many times, and it had no room before."""

    model_config = ConfigDict(frozen=True)

    attempt: int
    n: int


class Retries(BaseModel):
    """Of the measured requests; a try that was the last is no part of it, its answer is the request's outcome."""

    model_config = ConfigDict(frozen=True)

    n_requests: int  # tried more than once
    n_accepted: int  # of these, in the end
    n_added: int  # calls beside the first of each request
    added_share: float  # of the requests sent
    waited: Distribution  # from a request's first send to its last, as planned
    refused: tuple[RefusedTries, ...]  # the most frequent cause first
    waves: tuple[Wave, ...]  # of the accepted, the first try first


def retries(frames: Frames) -> Retries | None:
    """Over the whole run but its warm-up phases; None where no request was tried again."""
    refused = refused_tries(frames.events)
    if not refused.height:
        return None
    sent = only(frames.measured, pl.col("send_ns").is_not_null(), "seq", "accepted", "attempts")
    tried = refused.join(sent, on="seq", how="inner")
    if not tried.height:
        return None
    by_request = tried.group_by("seq").agg(
        (pl.col("end_ns").max() - pl.col("at_ns").min()).alias("waited_ns"), pl.col("accepted").first()
    )
    waves = sent.filter("accepted").group_by("attempts").len().sort("attempts")
    causes = tried.group_by("state", "cause").len().sort(["len", "state", "cause"], descending=[True, False, False])
    return Retries(
        n_requests=by_request.height,
        n_accepted=int(by_request["accepted"].sum()),
        n_added=tried.height,
        added_share=tried.height / sent.height,
        waited=distribution(by_request["waited_ns"].to_numpy() / 1e9),
        refused=tuple(RefusedTries(state=state, cause=cause, n=n) for state, cause, n in causes.iter_rows()),
        waves=tuple(Wave(attempt=attempt, n=n) for attempt, n in waves.iter_rows()),
    )
