"""From the ledger's copies of rows to rows as files have them; in polars, so that a thread does it beside the loop."""

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.generator.ledger import NO_INSTANT, OUTCOME_OF, State, StringTable, Versions
from smbench.results.schema import INSTANT, REQUESTS, polars_schema

_STEMS = ("sched", "send", "ack", "recv", "done", "pub", "seen")
_END_FROM = pl.Series([None, "notice", "output"], dtype=pl.String)
_OUTCOMES = pl.Series([OUTCOME_OF[state].value for state in State], dtype=pl.String)


def requests_frame(versions: Versions) -> pl.DataFrame:
    """Versions of rows in the schema of `results.schema.REQUESTS`, in the order they were taken."""
    ledger, columns = versions.ledger, versions.columns
    state = pl.col("state")
    raw = pl.DataFrame(columns).with_columns(
        pl.Series(ledger.phase_names, dtype=pl.String).gather(columns["phase"]).alias("phase"),
        pl.Series(ledger.payload_names, dtype=pl.String).gather(columns["payload"]).alias("payload"),
        pl.Series("warmup", ledger.warmup[columns["phase"]]),
        pl.Series("size_in_bytes", ledger.size_bytes[columns["payload"]]),
        _OUTCOMES.gather(columns["state"]).alias("outcome"),
        _END_FROM.gather(columns["end_from"]).alias("end_from"),
        _words(ledger.words, columns["error"]).alias("error"),
        versions.locations.series().alias("output_location"),
    )
    is_sent = ~state.is_in([int(State.SCHEDULED), int(State.NOT_SENT)])
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
        pl.when(state == int(State.SCHEDULED))
        .then(pl.lit("the run ended first"))
        .when(state == int(State.IN_FLIGHT))
        .then(pl.lit("unanswered when the run ended"))
        .otherwise("error")
        .alias("error"),
        pl.col("attempts").cast(pl.Int64),
        "output_location",
        pl.col("notices").cast(pl.Int64),
        "end_from",
        pl.lit(ledger.worker, dtype=pl.Int64).alias("worker"),
    ).select(polars_schema(REQUESTS).names())


def _instant(stem: str, epoch_ns: int) -> pl.Expr:
    since_ns = pl.col(f"{stem}_ns")
    return pl.when(since_ns != NO_INSTANT).then(since_ns + epoch_ns).cast(INSTANT).alias(stem)


def _words(words: StringTable, indices: npt.NDArray[np.int32]) -> pl.Series:
    """As text. Only the words that occur are looked up: a service may have as many reasons to fail as requests."""
    distinct, places = np.unique(indices, return_inverse=True)
    return pl.Series([words[index] for index in distinct.tolist()], dtype=pl.String).gather(places)
