"""What is notable in how ends were reported: failures of the container, lost notifications, coarse instants."""

import numpy as np
import polars as pl

from smbench import units
from smbench.analysis.numbers.ordered import commonest
from smbench.analysis.observations import Observation, Seen
from smbench.analysis.rows.frames import only
from smbench.records import AMID_THE_RUN, Outcome

CONTAINER_FAILURES_MIN = 0.05  # as a share of those that the container answered
STAMPS_MIN = 30  # fewer say nothing
COARSE_SHARE = 0.5  # of the stamps on a whole second: one in a thousand would be by chance
NOTICE_MAX_NS = 10_000_000_000  # of an end that was found sooner a notice may have been on its way
LOOKS_MAX_S = 30.0


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
    """The container answers with errors: how many, and its most frequent words in full."""
    n_wrong = seen.frames.measured["wrong_answer"].count()  # an answer is no failure of the container, right or not
    n_ended, n_failed = seen.counts.completed + seen.counts.failed, seen.counts.failed - n_wrong
    if not n_failed or n_failed < CONTAINER_FAILURES_MIN * n_ended:
        return None
    is_failure = (pl.col("outcome") == Outcome.FAILED.value) & pl.col("wrong_answer").is_null()
    words = only(seen.frames.measured, is_failure, "error")["error"]
    most = commonest(words) or "it gave no reason"
    return Observation(
        name="container failures",
        seen=f"{n_failed:,} of {n_ended:,} requests that reached the container failed "
        f"({units.share(n_failed / n_ended)}), most often with: {most}",
        advice="look at the container's log: latencies are of the requests that it answered",
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
