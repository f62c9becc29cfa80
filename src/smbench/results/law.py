"""The ledger's law: every request that was scheduled is in exactly one place, and the places add up.

    scheduled = not_sent + unknown + sent
    sent      = accepted + rejected + transport_error
    accepted  = completed + failed + expired + unknown_end + lost + pending

The three sides are counted from different columns: `sent` from `send`, `accepted` from `accepted`, the rest from
`outcome`. So a row that contradicts itself breaks the law. A row of a killed run counts as
sent, too, where a notice alone proved it: it is accepted, and neither when it was sent nor its answer is known.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import polars as pl

from smbench.records import ACCEPTED, MAY_HAVE_COMPLETED, Outcome
from smbench.units import counted, requests_were

_SCHEDULED_PARTS = ("not_sent", "unknown", "sent")
_SENT_PARTS = ("accepted", "rejected", "transport_error")
_UNSENT = (Outcome.NOT_SENT.value, Outcome.UNKNOWN.value)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_ENDS = tuple(outcome.value for outcome in ACCEPTED)
_IS_SENT = pl.col("send").is_not_null() | (pl.col("accepted") & pl.col("ack").is_null())
_RARE = (Outcome.UNKNOWN.value, Outcome.UNKNOWN_END.value)  # named in an equation only where there is one


class _Kind(NamedTuple):
    """How many rows are alike in all that the law looks at."""

    outcome: str | None
    accepted: bool | None
    is_sent: bool | None
    n: int


def _kinds(requests: pl.LazyFrame | pl.DataFrame) -> list[_Kind]:
    """Some dozen, however many rows there are: one pass over them, and the sums need no other."""
    by = ("outcome", "accepted", _IS_SENT.alias("is_sent"))
    grouped = requests.lazy().group_by(by).agg(pl.len()).collect(engine="streaming")
    return [_Kind(*row) for row in grouped.iter_rows()]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests are where."""

    scheduled: int = 0
    not_sent: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    transport_error: int = 0
    completed: int = 0
    failed: int = 0
    expired: int = 0
    lost: int = 0
    pending: int = 0
    unknown_end: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, requests: pl.LazyFrame | pl.DataFrame) -> "Counts":
        """Count the rows; needs `send`, `ack`, `accepted` and `outcome`."""
        kinds = _kinds(requests)
        of_outcome = dict.fromkeys((outcome.value for outcome in Outcome), 0)
        for kind in kinds:
            if kind.outcome in of_outcome:
                of_outcome[kind.outcome] += kind.n
        return cls(
            scheduled=sum(kind.n for kind in kinds),
            sent=sum(kind.n for kind in kinds if kind.is_sent),
            accepted=sum(kind.n for kind in kinds if kind.accepted),
            **of_outcome,
        )

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def may_have_completed(self) -> int:
        """Accepted, and nothing proves or excludes that they completed."""
        return sum(self._of(outcome.value) for outcome in MAY_HAVE_COMPLETED)

    def equations(self) -> tuple[str, str, str]:
        """The law with its numbers, one line each; `!=` where it does not hold."""
        return (
            self._equation("scheduled", _SCHEDULED_PARTS),
            self._equation("sent", _SENT_PARTS),
            self._equation("accepted", _ENDS),
        )

    def violations(self) -> list[str]:
        """Where the law does not hold, in words with the numbers; empty when all is well."""
        broken = []
        for whole, parts in (("scheduled", _SCHEDULED_PARTS), ("sent", _SENT_PARTS), ("accepted", _ENDS)):
            difference = self._of(whole) - sum(self._of(part) for part in parts)
            if difference:
                fault = f"{abs(difference):,} {'missing' if difference > 0 else 'too many'}"
                broken.append(f"{self._equation(whole, parts)}: {fault}")
        return broken

    def _of(self, name: str) -> int:
        count: int = getattr(self, name)
        return count

    def _equation(self, whole: str, parts: tuple[str, ...]) -> str:
        holds = self._of(whole) == sum(self._of(part) for part in parts)
        terms = " + ".join(f"{part} {self._of(part):,}" for part in parts if part not in _RARE or self._of(part))
        return f"{whole} {self._of(whole):,} {'=' if holds else '!='} {terms}"


def row_violations(requests: pl.LazyFrame | pl.DataFrame, n_scheduled: int | None = None) -> list[str]:
    """What no sum can show: rows that occur twice, contradict themselves, or are missing altogether.

    Args:
        requests: Needs `seq`, `send`, `ack`, `accepted`, `outcome`.
        n_scheduled: Rows the schedule had; None where nobody knows.
    """
    kinds = _kinds(requests)
    rows = sum(kind.n for kind in kinds)
    distinct = requests.lazy().select(pl.col("seq").n_unique()).collect(engine="streaming").item()
    no_outcome = sum(kind.n for kind in kinds if kind.outcome not in _OUTCOMES)
    accepted = sum(kind.n for kind in kinds if (kind.outcome in _ENDS) != bool(kind.accepted))
    sent = sum(kind.n for kind in kinds if (kind.outcome in _UNSENT) == bool(kind.is_sent))
    broken = []
    if repeated := rows - distinct:
        broken.append(f"{counted(repeated, 'row')} with a seq that another row has")
    if n_scheduled is not None and distinct != n_scheduled:
        broken.append(f"{requests_were(n_scheduled)} scheduled, and {distinct:,} in the ledger")
    if no_outcome:
        broken.append(f"{counted(no_outcome, 'row')} with an outcome that is none")
    if accepted:
        broken.append(f"{counted(accepted, 'row')} accepted without an end, or with an end and not accepted")
    if sent:
        broken.append(f"{counted(sent, 'row')} sent and not sent at once, or neither")
    return broken


def stream_violations(requests: pl.LazyFrame | pl.DataFrame) -> list[str]:
    """Rows whose columns of a streamed answer contradict each other, or the rest of the row.

    Args:
        requests: Of a run with streams; needs `parts`, `first_part`, both gaps, `send`, `done` and `accepted`.
    """
    n_parts = pl.col("parts").fill_null(0)
    has_first, has_gap = pl.col("first_part").is_not_null(), pl.col("gap_mean_ns").is_not_null()
    rules = {
        "with parts and no instant of the first, or the other way round": (n_parts > 0) != has_first,
        "with gaps and fewer than two parts, or the other way round": (n_parts > 1) != has_gap,
        "with a mean gap and no longest, or above it": (has_gap != pl.col("gap_max_ns").is_not_null())
        | (pl.col("gap_mean_ns") > pl.col("gap_max_ns")),
        "with parts and not accepted": (n_parts > 0) & ~pl.col("accepted"),
        "with a first part before the sending, or after the end": (pl.col("first_part") < pl.col("send"))
        | (pl.col("first_part") > pl.col("done")),
    }
    found = requests.lazy().select(broken.sum().alias(rule) for rule, broken in rules.items())
    counts = found.collect(engine="streaming").row(0, named=True)
    return [f"{counted(n, 'row')} {rule}" for rule, n in counts.items() if n]
