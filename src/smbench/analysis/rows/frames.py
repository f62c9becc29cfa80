"""A run's rows with what follows from each: instants since the run began and durations, in whole nanoseconds.

Nothing is dropped here. Instants that AWS stamped are corrected where how far its clock is away is known (`clocks`).
An end that was found in S3 is known to the whole second only; it is taken to be at that second's end, or when it was
seen, so that no latency is understated, and `doubt_ns` says how much earlier it may have been.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from smbench.analysis.rows.backlog import Backlog, backlog
from smbench.analysis.rows.clocks import Agreement, Clocks, compare_clocks
from smbench.analysis.rows.columns import completions, is_one_of, only
from smbench.analysis.rows.deadline import Deadline, deadline
from smbench.analysis.rows.retried import received_at_the_last_try
from smbench.analysis.rows.stamps import look_every_s, stamped_ends
from smbench.errors import ResultsError
from smbench.pricing.table import PriceTable, current_prices
from smbench.printable import CONTROLS, printable
from smbench.records import ENDED, MAY_HAVE_COMPLETED, NEVER_COMPLETED, Ending, NotSent, Outcome
from smbench.results.damage import RESTORE
from smbench.results.manifest import Manifest, ShardFacts
from smbench.results.store import RunFiles
from smbench.schedule.base import PhaseSpan

_GRACE_NS = 20_000_000_000  # less than the 30 s that a run waits, so that one which waited is not suspected
_CUTS_SHORT = tuple(why.value for why in NotSent if why.cuts_short)
_ENDS_SENDING = tuple(why.value for why in NotSent if why.ends_sending)
_STEMS = ("sched", "send", "ack", "recv", "done", "pub", "seen")
_NEEDED = (
    *(
        "seq",
        "phase",
        "warmup",
        "payload",
        "outcome",
        "accepted",
        "status_code",
        "error",
        "why_not_sent",
        "attempts",
        "notices",
        "size_in_bytes",
        "wrong_answer",
        "answer_size_in_bytes",
        "variant",
    ),
    "end_from",
)


_TEXTS = ("phase", "payload", "outcome", "error", "why_not_sent", "wrong_answer", "variant", "end_from")
_OF_STREAMS = ("parts", "gap_mean_ns", "gap_max_ns")
_PLAIN = ("accepted", "attempts", "status_code")
_LOOKED_UP = (Ending.FINISHED, Ending.STOPPED)  # after these the run asked S3 for ends that no notice reported
_COMPARED = ("send", "ack", "recv")


@dataclass(frozen=True, eq=False)  # data frames have no equality that is true or false: a run is equal to itself
class Frames:
    """Everything the figures are made from.

    `requests` has one row a request. Beside the schema's columns it has

        sched_ns .. seen_ns   instants since the run began (null as in the schema; `done_ns` as above)

    and durations, in nanoseconds too; `seconds` makes seconds of a column:

        age_ns                from due to its end, or to the end of the run where it has none
        service_age_ns        the same from recv (where no notice gave recv, the send of the last try)
        sojourn_ns            done - sched: the age of the completed
        from_send_age_ns      the same from send: hides how late we were
        from_send_ns          done - send, of the completed
        service_view_ns       done - recv, of the completed
        to_first_ns           first_part - sched, of streamed answers that had a part
        to_first_from_send_ns first_part - send, of the same; no such column where no answer comes in a stream
        schedule_lag_ns       send - sched
        acknowledging_ns      ack - send
        hearing_ns            seen - done, of ends reported by a notice
        notification_ns       pub - done, of those that have a notice
        observer_lag_ns       seen - pub, of the same

    and

        may_have_left         it may have left the system before its age: it is lost, its end was of a kind that the
                              endpoint does not publish, or another tool's file does not say when it ended
        doubt_ns              how much earlier than `done_ns` the end may have been: 0 but for ends found in S3
        is_impossible         S3's stamp of the end is later than when we saw it, or earlier than the send
        resume                which resume sent it, null: the run itself; no such column where there was none
        is_unsettled          it may have completed after its age: accepted without a known end, or a synchronous call
                              that was never answered (of other calls a notice would report it)
    """

    manifest: Manifest
    requests: pl.DataFrame
    readings: pl.DataFrame
    events: pl.DataFrame
    clocks: Clocks
    spans: tuple[PhaseSpan, ...]
    end_ns: int  # the last thing known of the run
    damage: tuple[str, ...] = ()  # of its files, left out of all this; a sentence each
    prices: PriceTable = field(default_factory=current_prices)  # what costs are computed with
    asked: tuple[str, ...] = ()  # thresholds beside those of the scenario

    @cached_property
    def measured(self) -> pl.DataFrame:
        """The requests outside warm-up phases."""
        has_warmup = self.requests["warmup"].any()
        return self.requests.filter(~pl.col("warmup")) if has_warmup else self.requests

    @cached_property
    def completed_ns(self) -> pl.Series:
        """When each completed request did, warm-ups included, ascending."""
        return completions(self.requests)

    @property
    def unobservable(self) -> dict[str, str]:
        """Why this run knows an outcome late or never, by the outcome; empty where the endpoint publishes every end."""
        return _unobservable(self.manifest)

    @cached_property
    def deadline(self) -> Deadline | None:
        """What a threshold, or the time to live, allows a request."""
        return deadline(self.manifest.scenario, self.asked)

    @cached_property
    def n_cut_short(self) -> int:
        """Measured requests that the schedule has and the run never sent, because it ended too early."""
        return int(self.measured["why_not_sent"].is_in(_CUTS_SHORT).sum())

    @cached_property
    def n_unreached(self) -> int:
        """Measured requests that were due after the sending had ended, also where the scenario's limits ended it."""
        return int(self.measured["why_not_sent"].is_in(_ENDS_SENDING).sum())

    @cached_property
    def n_left_out(self) -> int:
        """Measured requests that were not sent because the run's own thresholds were decided: another one is not."""
        return int((self.measured["why_not_sent"] == NotSent.CERTAIN.value).sum())

    @cached_property
    def n_perhaps_taken(self) -> int:
        """Measured requests that were not answered, and of which nothing shows that they were not taken.

        Of a synchronous endpoint all of them. Of another one a notice shows it, so where no notice need have come, all
        of them too. Else those so near the end that a notice of theirs may still come: as long as that, the run itself
        waits for one: twice as long as any request has lived, and a while.
        """
        if self.manifest.imported is not None:
            return 0
        if self.manifest.target.get("kind", "async") != "async":
            return self.n_unsettled_calls
        is_unanswered = is_one_of((Outcome.TRANSPORT_ERROR,))
        if self._are_ends_missed:
            return _n(self.measured, is_unanswered)
        lives = self.requests.select((pl.col("done_ns") - pl.col("send_ns")).max()).item()
        patience_ns = 2 * max(0, lives or 0) + _GRACE_NS
        is_recent = pl.col("send_ns") > self.end_ns - patience_ns
        return _n(self.measured, is_unanswered & is_recent)

    @cached_property
    def _are_ends_missed(self) -> bool:
        """Whether a request may have ended without a notice to us: some are not published, or one was lost."""
        return bool(self.unobservable) or bool(self.requests.select((pl.col("end_from") == "output").any()).item())

    @cached_property
    def n_unsettled_calls(self) -> int:
        """Measured calls of a synchronous endpoint that were never answered."""
        return _n(self.measured, pl.col("is_unsettled") & ~pl.col("accepted"))

    @cached_property
    def n_unsure(self) -> int:
        """Measured requests whose fate is open.

        Never sent because the run was cut short or its thresholds were decided, or of a lost worker, or without an
        answer and perhaps taken.
        """
        n_unknown = int((self.measured["outcome"] == Outcome.UNKNOWN.value).sum())
        return self.n_cut_short + self.n_left_out + n_unknown + self.n_perhaps_taken

    @cached_property
    def backlog(self) -> Backlog:
        """Of all accepted requests, from the first to the end of the run."""
        return backlog(self.requests, self.end_ns)

    @cached_property
    def earliest_ends(self) -> pl.DataFrame | None:
        """The requests that certainly were in the system, each with its end as early as it may have been.

        None where that is all of them, at the instants that `requests` has. Columns: those of which a backlog is made.
        """
        rows = self.requests
        if not (rows["may_have_left"].any() or rows["doubt_ns"].max()):
            return None
        after_arrival_ns = pl.coalesce("recv_ns", "send_ns") + 1
        earliest_ns = pl.max_horizontal(pl.col("done_ns") - pl.col("doubt_ns"), after_arrival_ns)
        done_ns = pl.when(pl.col("doubt_ns") > 0).then(earliest_ns).otherwise("done_ns").alias("done_ns")
        return only(rows, ~pl.col("may_have_left"), "accepted", "send_ns", "recv_ns", done_ns)

    @property
    def epoch_ns(self) -> int:
        """UTC nanoseconds since 1970 at scenario time zero."""
        return self.manifest.clock.epoch_ns


def load(run: RunFiles) -> Frames:
    """Read a run and derive.

    Raises:
        ResultsError: a file is damaged inside.
    """
    try:
        requests = _in_short(run.requests, run.manifest).collect(engine="streaming")
        readings, events = _printable(run.readings.collect()), _printable(run.events.collect())
    except (OSError, pl.exceptions.PolarsError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ResultsError(f"{run.path} is damaged: {first_line}", RESTORE) from error
    return replace(_derived(run.manifest, _printable(requests), readings, events), damage=run.damage)


def _columns(manifest: Manifest) -> list[str]:
    """Those that are needed; which worker sent a request says by which machine's clock, where there were several."""
    of_streams = ["first_part", *_OF_STREAMS] if is_streamed(manifest) else []
    of_resumes = ["resume"] if manifest.resumes else []
    return [*_NEEDED, *_STEMS, *of_streams, *of_resumes, *(["worker"] if manifest.shards else [])]


def is_streamed(manifest: Manifest) -> bool:
    """Whether answers came in a stream."""
    return bool((manifest.scenario.get("request") or {}).get("stream"))


def _in_short(requests: pl.LazyFrame, manifest: Manifest) -> pl.LazyFrame:
    """What is needed of the rows: instants in nanoseconds since the run began, texts as places in a list of them."""
    stems = (*_STEMS, "first_part") if is_streamed(manifest) else _STEMS
    instants = [(pl.col(stem).dt.timestamp("ns") - manifest.clock.epoch_ns).alias(f"{stem}_ns") for stem in stems]
    rows = requests.select(_columns(manifest)).with_columns(pl.col(_TEXTS).cast(pl.Categorical), *instants)
    return rows.drop(stems)


def _printable(frame: pl.DataFrame) -> pl.DataFrame:
    """Every text without control characters; few are not so from the start."""
    texts = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical)]
    has_controls = pl.col(texts).unique().cast(pl.String).str.contains(CONTROLS).any()  # in one query for all columns
    for name in (name for name, found in frame.select(has_controls).row(0, named=True).items() if found):
        said = frame[name].drop_nulls().unique().cast(pl.String)
        clean = said.map_elements(printable, return_dtype=pl.String)
        plain = pl.col(name).cast(pl.String).replace_strict(said, clean, default=None)
        frame = frame.with_columns(plain.cast(frame.schema[name]))
    return frame


def derive(manifest: Manifest, requests: pl.DataFrame, readings: pl.DataFrame, events: pl.DataFrame) -> Frames:
    """The frames of a run whose rows are in memory."""
    return _derived(manifest, _in_short(requests.lazy(), manifest).collect(), readings, events)


def _derived(manifest: Manifest, rows: pl.DataFrame, readings: pl.DataFrame, events: pl.DataFrame) -> Frames:
    epoch_ns = manifest.clock.epoch_ns
    readings, events = _since(_as_last_told(readings), epoch_ns), _since(events, epoch_ns)
    if manifest.shards:
        rows = _on_one_clock(rows, manifest.shards).drop("worker")
    clocks = _clocks(rows)
    rows = received_at_the_last_try(_on_our_clock(rows, clocks), events)
    rows = stamped_ends(rows, look_every_s(manifest))
    end_ns = _end_ns(rows, readings, events)
    return Frames(
        manifest=manifest,
        requests=_durations(rows, end_ns, manifest),
        readings=readings,
        events=events,
        clocks=clocks,
        spans=manifest.spans,
        end_ns=end_ns,
        prices=current_prices().with_own(manifest.prices),
    )


def _as_last_told(readings: pl.DataFrame) -> pl.DataFrame:
    """CloudWatch may report a minute again with more in it: then the later reading holds."""
    is_from_aws = readings["source"] == "cloudwatch"
    if not is_from_aws.any():
        return readings
    from_aws = readings.filter(is_from_aws).sort("seen", maintain_order=True)
    latest = from_aws.unique(["name", "stat", "at"], keep="last", maintain_order=True)
    return pl.concat([readings.filter(pl.col("source") != "cloudwatch"), latest])


def _since(frame: pl.DataFrame, epoch_ns: int) -> pl.DataFrame:
    instants = [name for name in ("at", "seen", "end", "not_before") if name in frame.columns]
    return frame.with_columns(
        (pl.col(name).dt.timestamp("ns") - epoch_ns).alias(f"{name}_ns") for name in instants
    ).drop(instants)


def _clocks(rows: pl.DataFrame) -> Clocks:
    is_plain = pl.col("accepted") & (pl.col("attempts") == 1) & pl.col("status_code").is_not_null()
    known = only(rows, is_plain, "send_ns", "ack_ns", "recv_ns").drop_nulls()
    send_ns, ack_ns, recv_ns = (known[name].to_numpy() for name in ("send_ns", "ack_ns", "recv_ns"))
    return compare_clocks(send_ns, ack_ns, recv_ns)


def clocks_by_worker(run: RunFiles) -> dict[int, Clocks]:
    """How each worker's clock compares with AWS's: of a run on several machines they may differ."""
    instants = [pl.col(stem).dt.timestamp("ns").alias(f"{stem}_ns") for stem in _COMPARED]
    rows = run.requests.select("worker", *_PLAIN, *instants).collect(engine="streaming")
    return {int(worker): _clocks(part) for (worker,), part in rows.group_by("worker")}


def _on_one_clock(rows: pl.DataFrame, shards: Sequence[ShardFacts]) -> pl.DataFrame:
    """Instants of machines whose clocks differ, on the clock of the first of them whose offset is known."""
    known = [one for one in shards if one.clock_offset_s is not None]
    if not known:
        return rows
    by_worker_ns = {one.shard: _ahead_ns(known[0], one) for one in known[1:]}
    if not any(by_worker_ns.values()):
        return rows
    shift_ns = pl.col("worker").replace_strict(by_worker_ns, default=0, return_dtype=pl.Int64)
    of_ours = [name for name in ("sched_ns", "send_ns", "ack_ns", "seen_ns", "first_part_ns") if name in rows.columns]
    return rows.with_columns(pl.col(of_ours) + shift_ns)


def _ahead_ns(first: ShardFacts, other: ShardFacts) -> int:
    """How far the first machine's clock is ahead of the other's; 0 where that is within what can be known."""
    ahead_s = (other.clock_offset_s or 0.0) - (first.clock_offset_s or 0.0)
    doubt_s = (other.clock_uncertainty_s or 0.0) + (first.clock_uncertainty_s or 0.0)
    return round(ahead_s * 1e9) if abs(ahead_s) > doubt_s else 0


def _on_our_clock(rows: pl.DataFrame, clocks: Clocks) -> pl.DataFrame:
    """AWS's instants on our clock; `told_ns` is `done_ns` where a notice gave it to the millisecond."""
    if clocks.agreement in (Agreement.OFFSET, Agreement.DRIFT):
        rows = rows.with_columns(clocks.ours("recv_ns"), clocks.ours("done_ns"), clocks.ours("pub_ns"))
    return rows.with_columns(
        pl.when(pl.col("end_from") == "notice").then("done_ns").alias("told_ns"),
        pl.when(is_one_of(ENDED))
        .then(pl.coalesce("done_ns", "seen_ns"))  # a notice without a time: it was over when we saw it
        .alias("done_ns"),
    )


def _end_ns(rows: pl.DataFrame, readings: pl.DataFrame, events: pl.DataFrame) -> int:
    """The last instant anything was known: how old those are that never ended."""
    instants = [rows[f"{stem}_ns"].max() for stem in ("send", "ack", "done", "seen")]
    # Phases are written down when the run begins, as planned: of a killed run they lie in a future that never came.
    happened = events.filter(pl.col("kind") != "phase")
    instants += [readings["seen_ns"].max(), happened["seen_ns"].max()]
    known = [int(instant) for instant in instants if isinstance(instant, int)]
    return max(known, default=0)


def _unobservable(manifest: Manifest) -> dict[str, str]:
    reasons = manifest.target.get("unobservable")
    return dict(reasons) if isinstance(reasons, dict) else {}


def _durations(rows: pl.DataFrame, end_ns: int, manifest: Manifest) -> pl.DataFrame:
    """Durations of each row. A request without an end is as old as when its client gave up, or the run ended.

    Where completions are only found in S3 and the run ended before it looked there, it is as old as when it was taken.
    In a run that was imported it is not known when the endpoint took a request, nor always when it was due.
    """
    nothing = pl.lit(None, dtype=pl.Int64)
    is_due_known = manifest.imported is None or manifest.imported.is_due_known
    is_completed = pl.col("outcome") == Outcome.COMPLETED.value
    received_ns = pl.coalesce("recv_ns", "send_ns")
    is_unanswered = pl.lit(manifest.target.get("kind", "async") != "async") & is_one_of((Outcome.TRANSPORT_ERROR,))
    given_up_ns = pl.when(is_one_of((Outcome.PENDING, Outcome.LOST))).then("seen_ns").when(is_unanswered).then("ack_ns")
    unobservable = _unobservable(manifest)
    is_result_unseen = "completed" in unobservable and manifest.ending not in _LOOKED_UP
    is_end_unseen = is_result_unseen or any(outcome.value in unobservable for outcome in NEVER_COMPLETED)
    is_pending = is_one_of((Outcome.PENDING,))
    is_undated = is_one_of(ENDED) & pl.col("done_ns").is_null()  # in a file that was imported
    taken_ns = pl.when(is_pending & is_result_unseen).then(pl.coalesce("ack_ns", "send_ns"))
    last_known_ns = pl.coalesce("done_ns", given_up_ns, taken_ns, pl.lit(end_ns))
    # Stamps are cut to milliseconds, so a very short service may seem to end just before it was due: hence `max`.
    rows = rows.with_columns(
        (pl.max_horizontal(last_known_ns, "sched_ns") - pl.col("sched_ns")).alias("age_ns"),
        (pl.max_horizontal(last_known_ns, received_ns) - received_ns if manifest.imported is None else nothing).alias(
            "service_age_ns"
        ),
        (pl.col("send_ns") - pl.col("sched_ns") if is_due_known else nothing).alias("schedule_lag_ns"),
        (pl.col("ack_ns") - pl.col("send_ns")).alias("acknowledging_ns"),
        *_to_first(rows),
        (pl.col("seen_ns") - pl.col("told_ns")).alias("hearing_ns"),
        (pl.col("pub_ns") - pl.col("told_ns")).alias("notification_ns"),
        (pl.col("seen_ns") - pl.col("pub_ns")).alias("observer_lag_ns"),
        (pl.col("accepted") & (is_one_of((Outcome.LOST,)) | (is_pending & is_end_unseen) | is_undated)).alias(
            "may_have_left"
        ),
        ((pl.col("accepted") & is_one_of(MAY_HAVE_COMPLETED)) | is_unanswered).alias("is_unsettled"),
    )
    rows = rows.with_columns(
        (pl.col("age_ns") - pl.col("schedule_lag_ns").fill_null(0)).clip(0).alias("from_send_age_ns")
    )
    return rows.with_columns(
        pl.when(is_completed).then("age_ns").alias("sojourn_ns"),
        pl.when(is_completed).then("from_send_age_ns").alias("from_send_ns"),
        pl.when(is_completed).then("service_age_ns").alias("service_view_ns"),
    ).drop("told_ns")


def _to_first(rows: pl.DataFrame) -> list[pl.Expr]:
    """From due, and from send, to the first part; of a run without streams a column of nulls, and no other."""
    if "first_part_ns" not in rows.columns:
        return [pl.lit(None, dtype=pl.Int64).alias("to_first_ns")]
    since = {"to_first_ns": "sched_ns", "to_first_from_send_ns": "send_ns"}
    return [(pl.col("first_part_ns") - pl.col(begin)).alias(name) for name, begin in since.items()]


def _n(frame: pl.DataFrame, where: pl.Expr) -> int:
    return int(frame.select(where.sum()).item() or 0)
