"""Converts ledger rows to rows of the files and back: in polars, so that a thread can do it.

What `restore` makes of the rows of `requests_frame` is the ledger as it was, at any instant of a run. Files have whole
microseconds, so an instant loses what is finer; those that AWS stamps, whole milliseconds, lose nothing.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.generator.tracking.ledger import (
    NEVER_SENT,
    NO_INSTANT,
    OPEN,
    OPEN_STATE_OF,
    OUTCOME_OF,
    STATE_OF,
    UNANSWERED,
    UNWRITTEN,
    WHY_NOT_SENT,
    WRONG_ANSWER,
    Ledger,
    State,
    StringTable,
    Versions,
)
from smbench.generator.tracking.locations import AS_IT_IS, UNKNOWN, UUID_BYTES, UUID_CHARACTERS, TakenLocations
from smbench.records import Outcome
from smbench.results.schema import REQUESTS, instant_of, polars_schema

_GROUPS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))  # of a UUID's 32 digits; a dash before each but the first
_FINER_NS = 1_000
_STEMS = ("sched", "send", "ack", "recv", "done", "pub", "seen")
_PARTS = {name: polars_schema(REQUESTS)[name] for name in ("first_part", "parts", "gap_mean_ns", "gap_max_ns")}
_END_FROM = pl.Series([None, "notice", "output", "answer"], dtype=pl.String)  # by the ledger's `END_FROM_*`
_WHY_NOT_SENT = pl.Series([None, *WHY_NOT_SENT], dtype=pl.String)
_WRONG_ANSWER = pl.Series([None, *WRONG_ANSWER], dtype=pl.String)
_OUTCOMES = pl.Series([OUTCOME_OF[state].value for state in State], dtype=pl.String)


def requests_frame(versions: Versions) -> pl.DataFrame:
    """Versions of rows in the schema of `results.schema.REQUESTS`, in the order they were taken."""
    ledger, columns = versions.ledger, versions.columns
    state = pl.col("state")
    raw = pl.DataFrame(columns).with_columns(
        pl.Series(ledger.phase_names, dtype=pl.String)[columns["phase"]].alias("phase"),
        pl.Series(ledger.payload_names, dtype=pl.String)[columns["payload"]].alias("payload"),
        pl.Series("warmup", ledger.warmup[columns["phase"]]),
        pl.Series("size_in_bytes", ledger.size_bytes[columns["payload"]]),
        _OUTCOMES[columns["state"]].alias("outcome"),
        _END_FROM[columns["end_from"]].alias("end_from"),
        _words(ledger.words, columns["error"]).alias("error"),
        _WHY_NOT_SENT[columns["why_not_sent"]].alias("why_not_sent"),
        _WRONG_ANSWER[columns["wrong"]].alias("wrong_answer"),
        _words(ledger.variants, columns["variant"]).alias("variant"),
        location_texts(versions.outputs).alias("output_location"),
        location_texts(versions.failures).alias("failure_location"),
    )
    is_scheduled, is_in_flight = state.is_in([int(State.SCHEDULED), int(State.UNPROVEN)]), state == int(State.IN_FLIGHT)
    is_sent = ~state.is_in([int(one) for one in NEVER_SENT])
    return raw.select(
        "seq",
        "phase",
        "warmup",
        pl.when(is_sent).then(pl.lit(ledger.id_prefix) + pl.col("seq").cast(pl.String)).alias("inference_id"),
        "payload",
        "size_in_bytes",
        *(_instant(stem, ledger.epoch_ns) for stem in _STEMS),
        "outcome",
        pl.col("is_accepted").cast(pl.Boolean).alias("accepted"),
        pl.when(pl.col("status_code") != 0).then(pl.col("status_code").cast(pl.Int64)).alias("status_code"),
        pl.when(is_scheduled)
        .then(pl.lit(UNWRITTEN))
        .when(is_in_flight)
        .then(pl.lit(UNANSWERED))
        .otherwise("error")
        .alias("error"),
        "wrong_answer",
        "variant",
        pl.when(pl.col("answer_bytes") >= 0).then(pl.col("answer_bytes").cast(pl.Int64)).alias("answer_size_in_bytes"),
        *_of_parts(ledger),
        "why_not_sent",
        state.is_in([int(one) for one in OPEN]).alias("open"),
        pl.col("attempts").cast(pl.Int64),
        "output_location",
        "failure_location",
        pl.col("notices").cast(pl.Int64),
        "end_from",
        pl.lit(ledger.worker, dtype=pl.Int64).alias("worker"),
        pl.when(pl.col("resume") != 0).then(pl.col("resume").cast(pl.Int64)).alias("resume"),
    ).select(polars_schema(REQUESTS).names())


def _of_parts(ledger: Ledger) -> tuple[pl.Expr, ...]:
    """What is known of streamed answers; nulls in a run that has none."""
    if not ledger.has_streams:
        return tuple(pl.lit(None, dtype=dtype).alias(name) for name, dtype in _PARTS.items())
    known = (
        pl.when(pl.col(name) != NO_INSTANT).then(pl.col(name)).alias(name) for name in ("gap_mean_ns", "gap_max_ns")
    )
    n_parts = pl.when(pl.col("parts") >= 0).then(pl.col("parts")).alias("parts")
    return (_instant("first_part", ledger.epoch_ns), n_parts, *known)


def _instant(stem: str, epoch_ns: int) -> pl.Expr:
    since_ns = pl.col(f"{stem}_ns")
    return pl.when(since_ns != NO_INSTANT).then(instant_of(since_ns + epoch_ns)).alias(stem)


def _words(words: StringTable, indices: npt.NDArray[np.integer[Any]]) -> pl.Series:
    """As text. Only the words that occur are looked up: a service may have as many reasons to fail as requests."""
    distinct, places = np.unique(indices, return_inverse=True)
    texts = pl.Series([words[index] for index in distinct.tolist()], dtype=pl.String)
    return texts.gather(places)


def location_texts(taken: TakenLocations) -> pl.Series:
    """As text, null where nothing is known; in the order of the rows."""
    if not taken.numbers.any():
        return pl.repeat(None, len(taken.numbers), dtype=pl.String, eager=True)
    numbers = np.where(taken.numbers == AS_IT_IS, UNKNOWN, taken.numbers)
    befores = pl.Series([frame and frame[0] for frame in taken.frames], dtype=pl.String)
    afters = pl.Series([frame and frame[1] for frame in taken.frames], dtype=pl.String)
    series = befores[numbers] + _texts(taken.uuids) + afters[numbers]
    return series.scatter(taken.odd_places, taken.odd) if taken.odd else series


def _texts(uuids: npt.NDArray[np.uint8]) -> pl.Series:
    """The spellings of many UUIDs, without a Python string for each: one long text, taken apart by polars."""
    n = len(uuids)
    if not n:
        return pl.Series(dtype=pl.String)
    digits = np.frombuffer(uuids.tobytes().hex().encode(), dtype=np.uint8).reshape(n, 2 * UUID_BYTES)
    text = np.full((n, UUID_CHARACTERS + 1), ord("-"), dtype=np.uint8)
    for n_dashes, (first, end) in enumerate(_GROUPS):
        text[:, first + n_dashes : end + n_dashes] = digits[:, first:end]
    text[:, -1] = ord("\n")
    return pl.Series([text.tobytes().decode().removesuffix("\n")]).str.split("\n").explode()


# ---- and back -------------------------------------------------------------------------------------------------

_PLACE_OF_SOURCE = {source: place for place, source in enumerate(_END_FROM.to_list()) if source}
_PLACE_OF_DIFFERENCE = {wrong: place for place, wrong in enumerate(_WRONG_ANSWER.to_list()) if wrong}
_PLACE_OF_REASON = {reason: place for place, reason in enumerate(_WHY_NOT_SENT.to_list()) if reason}


def restore(ledger: Ledger, rows: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Put rows that were written back into a ledger; it must be the new ledger of the same shard and run.

    What the schedule fixes (phase, payload, the due instants of open phases) stays as the schedule has it, but for
    rows that were made due at another instant: by a resume, or by a worker whose time zero was its own.

    Args:
        rows: Columns of `results.schema.REQUESTS`, at most one row each; those of other workers are passed over, and
            a row that is missing here stays as it is in the ledger.

    Returns:
        Which rows of the ledger they are, in the order of `rows`.
    """
    rows = rows.filter(pl.col("worker") == ledger.worker)
    places = [ledger.position(seq) for seq in rows["seq"].to_list()]
    if None in places:
        raise AssertionError(f"row {rows['seq'][places.index(None)]} is not of this shard")
    at = np.asarray(places, dtype=np.int64)
    columns = _restored(rows, ledger)
    sched_ns = np.asarray(ledger.sched_ns)
    written_ns = columns.pop("sched_ns").to_numpy()
    is_planned = sched_ns[at] != NO_INSTANT
    is_planned &= np.abs(written_ns - sched_ns[at]) < _FINER_NS  # the schedule's instants are finer than a file's
    sched_ns[at] = np.where(is_planned, sched_ns[at], written_ns)
    for name, values in columns.items():
        np.asarray(getattr(ledger, name))[at] = values.to_numpy()
    locations = rows.select("output_location", "failure_location").iter_rows()
    for index, (output, failure) in zip(at.tolist(), locations, strict=True):
        ledger.locations.learn_output(index, output)
        if failure is not None:
            ledger.locations.learn_failure(index, failure)
    return at


def _restored(rows: pl.DataFrame, ledger: Ledger) -> dict[str, pl.Series]:
    """The ledger's columns of these rows, by name."""
    outcomes, is_open = rows["outcome"], rows["open"].fill_null(False)
    states = outcomes.replace_strict(
        {one.value: int(state) for one, state in STATE_OF.items()}, default=None, return_dtype=pl.UInt8
    )
    open_states = outcomes.replace_strict(
        {one.value: int(state) for one, state in OPEN_STATE_OF.items()}, default=None, return_dtype=pl.UInt8
    )
    state = pl.select(pl.when(is_open).then(open_states).otherwise(states)).to_series()
    # A file says of an open row what a reader should think of it, should nothing more become known.
    is_worded = ~(is_open & (outcomes != Outcome.PENDING.value))
    errors = [ledger.words.index(word) if kept else 0 for word, kept in zip(rows["error"], is_worded, strict=True)]
    reasons = rows["why_not_sent"].replace_strict(_PLACE_OF_REASON, default=0, return_dtype=pl.UInt8)
    variants = [ledger.variants.index(name) for name in rows["variant"]]
    of_parts = {}
    if ledger.has_streams:
        of_parts = {
            "first_part_ns": _since_ns(rows["first_part"], ledger.epoch_ns),
            "parts": rows["parts"].fill_null(-1),
            **{name: rows[name].fill_null(NO_INSTANT) for name in ("gap_mean_ns", "gap_max_ns")},
        }
    return {
        **of_parts,
        "state": state,
        "error": pl.Series(errors, dtype=pl.Int32),
        "why_not_sent": reasons * is_worded.cast(pl.UInt8),
        "wrong": rows["wrong_answer"].replace_strict(_PLACE_OF_DIFFERENCE, default=0, return_dtype=pl.UInt8),
        "variant": pl.Series(variants, dtype=pl.UInt8),
        "answer_bytes": rows["answer_size_in_bytes"].fill_null(-1),
        "is_accepted": rows["accepted"].cast(pl.UInt8),
        "status_code": rows["status_code"].fill_null(0),
        "end_from": rows["end_from"].replace_strict(_PLACE_OF_SOURCE, default=0, return_dtype=pl.UInt8),
        "attempts": rows["attempts"],
        "resume": rows["resume"].fill_null(0).cast(pl.UInt8),
        "notices": rows["notices"],
        **{f"{stem}_ns": _since_ns(rows[stem], ledger.epoch_ns) for stem in _STEMS},
    }


def _since_ns(instants: pl.Series, epoch_ns: int) -> pl.Series:
    return (instants.dt.epoch("us") * 1000 - epoch_ns).fill_null(NO_INSTANT)
