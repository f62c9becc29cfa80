"""Tries that were refused and followed by another, by request."""

import polars as pl

from smbench.records import RETRY


def refused_tries(events: pl.DataFrame) -> pl.DataFrame:
    """A row a refused try: `seq`, `at_ns` (sent), `end_ns` (when the next was due), `state` and `cause`."""
    seq = pl.col("name").str.extract(r"(\d+)$").cast(pl.Int64)  # an InferenceId ends in it
    return events.filter(pl.col("kind") == RETRY).select(seq.alias("seq"), "at_ns", "end_ns", "state", "cause")


def received_at_the_last_try(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The rows, with `recv_ns` of those that were tried again and of which no notice says when they were received.

    The pauses between tries are the client's: nothing of such a request is in the endpoint before its last try. Rows
    are on our clock; events may be on that of another machine, and only how long a request waited is taken from them.
    """
    if not (rows["attempts"] > 1).any():
        return rows
    waited_ns = pl.col("end_ns").max() - pl.col("at_ns").min()
    by_request = refused_tries(events).group_by("seq").agg(waited_ns.alias("waited_ns"))
    waited = rows.select("seq").join(by_request, on="seq", how="left", maintain_order="left").to_series(1)
    return rows.with_columns(
        pl.coalesce("recv_ns", pl.when("accepted").then(pl.col("send_ns") + waited)).alias("recv_ns")
    )
