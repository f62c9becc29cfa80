"""Ends that S3 stamped: between which instants each lies, and whether S3's clock and ours contradict each other.

S3 stamps an object to the whole second, by its own clock. A stamp later than when we saw the object, or earlier than
when we sent the request, proves that the clocks differ, and not by how much: then only send and sight bound an end.
"""

import polars as pl

from smbench.results.manifest import Manifest
from smbench.scenario.model import Collector

IMPOSSIBLE_MAX = 0.01  # of the ends, and more where
CLOCKS_APART_S = 0.5  # a clock that is off by so much puts as large a part of a period's ends after we have seen them
_SECOND_NS = 1_000_000_000
_IS_STAMPED = pl.col("end_from") == "output"


def look_every_s(manifest: Manifest) -> float | None:
    """Between two looks for an output, of a run without notices; None of any other."""
    if manifest.target.get("tracking") != "s3":
        return None
    return float((manifest.scenario.get("collector") or {}).get("look_every") or Collector().look_every)


def stamped_ends(rows: pl.DataFrame, every_s: float | None) -> pl.DataFrame:
    """The rows with the latest instant at which each stamped end may have been as `done_ns`, and two columns more.

    `doubt_ns` is how much earlier it may have been, 0 of all others; `is_impossible` whether the stamp contradicts our
    clock.
    """
    stamp_ns = pl.col("done_ns")
    latest_ns = pl.min_horizontal(stamp_ns + _SECOND_NS, "seen_ns")
    is_impossible = _IS_STAMPED & ((pl.col("seen_ns") < stamp_ns) | (latest_ns < pl.col("send_ns")))
    rows = rows.with_columns(is_impossible.fill_null(False).alias("is_impossible"))
    if every_s is not None and contradict(rows, every_s):
        latest_ns, doubt_ns = pl.coalesce("seen_ns", stamp_ns), pl.coalesce("seen_ns", stamp_ns) - pl.col("send_ns")
    else:
        doubt_ns = latest_ns - stamp_ns
    return rows.with_columns(
        pl.when(_IS_STAMPED).then(doubt_ns.clip(0)).otherwise(0).alias("doubt_ns"),
        pl.when(_IS_STAMPED).then(latest_ns).otherwise("done_ns").alias("done_ns"),
    )


def contradict(rows: pl.DataFrame, every_s: float) -> bool:
    """Whether so many stamps are impossible that the clocks differ by more than a stamp leaves open."""
    n_stamped = rows.filter(_IS_STAMPED).height
    n_impossible = int(rows["is_impossible"].sum())
    return n_impossible > n_stamped * max(IMPOSSIBLE_MAX, CLOCKS_APART_S / every_s)
