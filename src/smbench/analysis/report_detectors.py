"""What is notable in the ends of requests: bad ones, lost notices, coarse instants, a warm-up that was not over."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from smbench import units
from smbench.analysis.numbers.ordered import commonest
from smbench.analysis.observations import Observation, Seen
from smbench.analysis.rows.columns import ended_as, only
from smbench.records import AMID_THE_RUN, Outcome, Unknown, is_throttle

BAD_ENDS_MIN = 0.05  # as a share of those that could have ended so: fewer are in the table of errors only
STAMPS_MIN = 30  # fewer say nothing
COARSE_SHARE = 0.5  # of the stamps on a whole second: one in a thousand would be by chance
NOTICE_MAX_NS = 10_000_000_000  # of an end that was found sooner a notice may have been on its way
LOOKS_MAX_S = 30.0
# SageMaker's words where the container answered with an error or not in time; those of S3 name a path instead.
_BY_CONTAINER = (
    pl.col("error")
    .cast(pl.String)
    .str.contains(r"(?i)from model|ModelError|model invocation|container")
    .fill_null(value=False)
)


def notification_loss(seen: Seen) -> Observation | None:
    """Requests ended without a notice: their ends were found in S3, or never."""
    if seen.frames.manifest.target.get("tracking") == "s3":
        return None
    hidden = seen.frames.unobservable  # of these no notice was to be expected
    is_late = pl.col("seen_ns") - pl.col("done_ns") > NOTICE_MAX_NS
    is_found = (pl.col("end_from") == "output") & is_late
    from_outputs = only(seen.frames.measured, is_found, "outcome")["outcome"].cast(pl.String)
    n_lost = int((~from_outputs.is_in(list(hidden))).sum()) + (0 if hidden else seen.counts.lost)
    accepted = seen.counts.accepted
    if not n_lost:
        return None
    why = "".join(f"; {note}" for note in seen.frames.manifest.notes if note.startswith(AMID_THE_RUN))
    share = units.share(n_lost / accepted)
    return Observation(
        name="notification loss",
        seen=f"no notice reported the ends of {n_lost:,} of {accepted:,} requests ({share}){why}",
        advice="see the topics' delivery failures and their filter policies; a client that waits for one waits forever",
    )


def container_failures(seen: Seen) -> Observation | None:
    """The container answers with errors, or not in time: how many, and its most frequent words in full."""
    return _many(
        seen,
        "container failures",
        _is_failure(seen.frames.measured, is_by_container=True),
        seen.counts.completed + seen.counts.failed,
        "requests that reached the container failed",
        "look at the container's log; in every percentile a failure counts as longer than it was watched",
    )


def failed_requests(seen: Seen) -> Observation | None:
    """Requests fail, and their words do not name the container: a bucket that is gone, a role, a lost instance."""
    return _many(
        seen,
        "failed requests",
        _is_failure(seen.frames.measured, is_by_container=False),
        seen.counts.completed + seen.counts.failed,
        "requests failed",
        "their words are all that is known: see the buckets of inputs and results, the role's permissions, and the log",
    )


def wrong_answers(seen: Seen) -> Observation | None:
    """Answers came, and were not what `request.expect` says."""
    return _many(
        seen,
        "wrong answers",
        seen.frames.measured["wrong_answer"].is_not_null(),
        seen.counts.completed + seen.counts.failed,
        "answers were not what request.expect asks for",
        "look at an answer: latencies are of the right ones",
    )


def expired_requests(seen: Seen) -> Observation | None:
    """Requests waited for longer than they may."""
    return _many(
        seen,
        "expired requests",
        ended_as(seen.frames.measured, Outcome.EXPIRED),
        seen.counts.accepted,
        "accepted requests expired in the queue",
        "more or earlier instances, or a longer time to live (request.ttl): the work was lost after all that wait",
    )


def unknown_ends(seen: Seen) -> Observation | None:
    """Ends of a kind that smbench does not know."""
    return _many(
        seen,
        "ends of unknown kind",
        ended_as(seen.frames.measured, Outcome.UNKNOWN_END),
        seen.counts.accepted,
        "accepted requests ended in a way that smbench does not know",
        "see their `error` in requests.parquet: whether they completed is not known",
    )


def refused_submissions(seen: Seen) -> Observation | None:
    """The service refused submissions for another reason than their rate."""
    is_rejected = ended_as(seen.frames.measured, Outcome.REJECTED)
    if not is_rejected.any():
        return None
    rejected = seen.frames.measured["error"].filter(is_rejected)
    throttles = [code for code in rejected.drop_nulls().unique().cast(pl.String) if is_throttle(code)]
    return _many(
        seen,
        "refused submissions",
        is_rejected & ~_is_text(seen.frames.measured["error"], throttles),
        seen.counts.sent,
        "submissions were refused",
        "latencies are of the others, under less load than was sent: mend what is refused",
    )


def unanswered_submissions(seen: Seen) -> Observation | None:
    """Submissions got no answer."""
    return _many(
        seen,
        "unanswered submissions",
        ended_as(seen.frames.measured, Outcome.TRANSPORT_ERROR),
        seen.counts.sent,
        "submissions got no answer",
        "see to the network between here and the endpoint, and to time-outs: whether they were taken is not known",
    )


def _many(seen: Seen, name: str, is_it: pl.Series, n_all: int, what: str, advice: str) -> Observation | None:
    """Nothing where they are fewer than `BAD_ENDS_MIN` of all that could have been."""
    n = int(is_it.sum())
    if not n or n < BAD_ENDS_MIN * n_all:
        return None
    words = seen.frames.measured["error"].filter(is_it)
    most = (commonest(words) or "no reason was given").rstrip(".")
    return Observation(
        name=name,
        seen=f"{n:,} of {n_all:,} {what} ({units.share(n / n_all)}), most often with: {most}",
        advice=advice,
    )


def _is_failure(measured: pl.DataFrame, *, is_by_container: bool) -> pl.Series:
    """Which requests failed without an answer, for an answer is no failure; by the container, or otherwise."""
    is_failed = ended_as(measured, Outcome.FAILED)
    if not is_failed.any():  # most often: then no text is looked at
        return is_failed
    of_container = measured.select(_BY_CONTAINER).to_series()
    return is_failed & measured["wrong_answer"].is_null() & (of_container if is_by_container else ~of_container)


def _is_text(errors: pl.Series, texts: Sequence[str]) -> pl.Series:
    return errors.cast(pl.String).is_in(list(texts)).fill_null(value=False)


def warm_up_not_over(seen: Seen) -> Observation | None:
    """Many measured requests came while some of a warm-up waited: the measured load did not make their latencies."""
    frames, capacity, concurrency = seen.frames, seen.system.capacity, seen.system.concurrency
    first_ns = frames.measured["sched_ns"].min()
    if isinstance(capacity, Unknown) or isinstance(concurrency, Unknown) or not isinstance(first_ns, int):
        return None
    ended_ns = pl.col("done_ns").fill_null(frames.end_ns)
    is_left = pl.col("warmup") & pl.col("accepted") & (pl.col("sched_ns") < first_ns) & (ended_ns > first_ns)
    left_ns = only(frames.requests, is_left, ended_ns)["done_ns"]
    n_slots = concurrency * int(capacity.serving_at(np.array([first_ns]))[0])
    last_ns = left_ns.max()
    if len(left_ns) <= n_slots or not isinstance(last_ns, int):
        return None
    n_after = only(frames.measured, pl.col("sched_ns") < last_ns, "sched_ns").height
    if n_after < BAD_ENDS_MIN * seen.counts.scheduled:
        return None
    return Observation(
        name="warm-up not over",
        seen=f"{len(left_ns):,} requests of a warm-up had no end when the first measured one was due, more than the "
        f"{n_slots:,} slots; {n_after:,} of {seen.counts.scheduled:,} measured ones came before they had ended",
        advice="put a pause after the warm-up, or make it lighter: latencies are of a backlog that the measured load "
        "did not make",
        at_s=first_ns / 1e9,
    )


def coarse_times(seen: Seen) -> Observation | None:
    """Stamps of whole seconds, or looks so rare that a change of capacity is known to half a minute only."""
    frames = seen.frames
    if frames.manifest.clock.kind == "warp":
        return None  # a model's instants may well be whole, and are known exactly
    told = only(frames.requests, pl.col("end_from") == "notice", "done_ns").drop_nulls()
    utc_ns = told.select(frames.clocks.aws("done_ns")).to_series().to_numpy() + frames.epoch_ns
    if len(utc_ns) >= STAMPS_MIN and float((utc_ns % 1_000_000_000 == 0).mean()) > COARSE_SHARE:
        return Observation(
            name="poll quantisation",
            seen="most ends bear a stamp of a whole second: latencies are known to that",
            advice="do not read differences below a second from this run",
        )
    is_look = (pl.col("source") == "endpoint") & (pl.col("name") == "instances_current")
    looks_ns = frames.readings.filter(is_look)["at_ns"].sort().to_numpy()
    between_s = float(np.median(np.diff(looks_ns))) / 1e9 if len(looks_ns) > 1 else 0.0
    if between_s <= LOOKS_MAX_S or not seen.steps:
        return None
    return Observation(
        name="poll quantisation",
        seen=f"instances were looked at every {units.duration(between_s)}: when they changed is known to that",
        advice="lower `gauges_every` to 10 s",
    )
