"""Another tool's rows as rows of the ledger: instants, outcomes, and what is not known left null."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench import units
from smbench.errors import UsageError
from smbench.importing.outcomes import end_of
from smbench.importing.roles import INSTANTS, OWN_UNIT, Roles
from smbench.records import ACCEPTED, NEVER_COMPLETED, Outcome
from smbench.results.schema import REQUESTS, polars_schema
from smbench.schedule.base import PhaseSpan
from smbench.schedule.time_column import EPOCH_MIN_NS, check_span
from smbench.tables.instants import Nanoseconds, dates_ns, lengths_ns, numbers_ns, zones_said
from smbench.tables.table import BadCell, Batch, Table, as_no_time, shown
from smbench.tables.timestamps import NO_NUMBER, words_of

PHASE = "imported"
_SECOND_NS = 10**9
_DAY_NS = 86_400 * _SECOND_NS
_SAME_NS = 2_000_000  # between two spans of which each was cut to milliseconds
_SHOWN_MAX = 8
_HTTP_MIN = 100
_NO_LATENCY = "leave the cell empty where no answer came: its status says the rest"
_BLANKS = {"nan", "null", "none", "n/a", "-", "na", "<na>", "nat", "#n/a", "nil", "(null)", "\\n"}  # \\N is SQL's
_TEXTS = ("status", "success", "error", "label", "phase")
_OVER = [Outcome.COMPLETED.value, Outcome.FAILED.value, Outcome.EXPIRED.value]
_NEVER = [outcome.value for outcome in NEVER_COMPLETED]
_WARM_UP = re.compile(r"warm(ing)?[ _-]?up", re.IGNORECASE)  # begins the name of a phase that is none of the figures'


@dataclass(frozen=True, slots=True)
class Imported:
    """A file's requests in the ledger's columns, in the order of their phases and starts."""

    requests: pl.DataFrame
    spans: tuple[PhaseSpan, ...]
    epoch_ns: int  # the first instant: scenario time zero
    n_other_rows: int  # rows of the file that are no requests
    n_timeouts: int  # requests whose client gave up
    notes: tuple[str, ...] = ()  # what its figures leave open


def import_requests(table: Table, roles: Roles, *, timeout_ns: int | None, good: frozenset[str]) -> Imported:
    """Read the whole file.

    Args:
        timeout_ns: A request that took as long or longer timed out; None: only where its status or error says so.
        good: Statuses that mean completed, beside those that are known.

    Raises:
        UsageError: a cell cannot be read, an end lies before its start, or there is no request.
    """
    more = (*roles.where, roles.sums and roles.sums[0], roles.counts, roles.ids)
    columns = list(dict.fromkeys((*roles.columns.values(), *(at for at in more if at is not None))))
    parts, n_other = [], 0
    dated = [role for role in INSTANTS if role in roles.columns and roles.units[role] is None]
    zones = frozenset[bool]()
    for batch in table.rows.batches(columns):
        cells = dict(zip(columns, batch.cells, strict=True))
        part = _part(table, batch, roles, cells)
        zones = zones.union(*(zones_said(_without_blanks(cells[roles.columns[role]])) for role in dated))
        n_other += len(batch.cells[0]) - part.height
        parts.append(part)
    rows = pl.concat(parts) if parts else pl.DataFrame()
    if not rows.is_empty() and not rows["is_sum"].all():  # where all are sums, the rows that they sum up are not there
        n_other += int(rows["is_sum"].sum())
        rows = rows.filter(~pl.col("is_sum"))
    if rows.is_empty():
        raise _no_request(table, roles)
    if len(zones) > 1:
        named = " and ".join(f"'{table.name(roles.columns[role])}'" for role in dated)
        raise UsageError(
            f"{table.path}: some dates in {named} say their time zone, and others do not: hours may lie between them",
            "write all with their zone, or all without",
        )
    _refuse_days(table, roles, rows)
    _refuse_zeros(table, roles, rows)
    _refuse_other_clocks(table, roles, rows, zones)
    _refuse_other_codes(table, roles, rows, good)
    notes = _notes(table, roles, rows)
    rows = _with_ends(rows, timeout_ns, good, is_always_said=_is_always_said(table, roles, rows))
    rows = rows.with_columns(pl.coalesce("due_ns", "start_ns").alias("due_ns"))
    order = {name: place for place, name in enumerate(rows["phase"].unique(maintain_order=True))}
    rows = rows.sort(pl.col("phase").replace_strict(order, return_dtype=pl.Int64), "due_ns", maintain_order=True)
    first_ns = [rows[name].min() for name in ("due_ns", "start_ns")]
    epoch_ns = min(ns for ns in first_ns if isinstance(ns, int))
    return Imported(
        requests=_ledger(rows),
        spans=_spans(rows, order, epoch_ns),
        epoch_ns=epoch_ns,
        n_other_rows=n_other,
        n_timeouts=int(rows["is_timeout"].sum()),
        notes=notes,
    )


def _no_request(table: Table, roles: Roles) -> UsageError:
    if not roles.where:
        return UsageError(f"{table.path} holds no request")
    at, value = next(iter(roles.where.items()))
    there = next(iter(table.rows.batches([at]))).cells[0].drop_nulls().unique(maintain_order=True).head(_SHOWN_MAX)
    return UsageError(
        f"{table.path} holds no request: no row has '{value}' in column '{table.name(at)}'",
        f"it has {', '.join(shown(str(one)) for one in there)}; write the rows of one as CSV: end, latency, status",
    )


def _refuse_days(table: Table, roles: Roles, rows: pl.DataFrame) -> None:
    """All requests of a day would be one burst at midnight, in silence."""
    for role in INSTANTS:
        has_dates = role in roles.columns and roles.units[role] is None and rows.height > 1
        if has_dates and _are_whole(rows[f"{role}_ns"], _DAY_NS):
            raise UsageError(
                f"{table.path}: column '{table.name(roles.columns[role])}' holds dates without a time of day",
                "join date and time in one column, or name another: --start, --end, --due",
            )


def _refuse_zeros(table: Table, roles: Roles, rows: pl.DataFrame) -> None:
    """A run of half a century would have no rate, in silence."""
    for role in INSTANTS:
        first_ns, last_ns = rows[f"{role}_ns"].min(), rows[f"{role}_ns"].max()
        if role in roles.columns and isinstance(first_ns, int) and isinstance(last_ns, int):
            check_span(table, roles.columns[role], first_ns, last_ns)


def _refuse_other_clocks(table: Table, roles: Roles, rows: pl.DataFrame, zones: frozenset[bool]) -> None:
    """An epoch time is UTC, dates without a zone may be anything, and what counts from a run's start is neither: hours
    or decades between two columns would become latency."""
    firsts_ns = {role: rows[f"{role}_ns"].min() for role in INSTANTS if role in roles.columns}
    epochs = [role for role, ns in firsts_ns.items() if isinstance(ns, int) and ns >= EPOCH_MIN_NS]
    others = [role for role, ns in firsts_ns.items() if isinstance(ns, int) and ns < EPOCH_MIN_NS]
    name = {role: f"'{table.name(roles.columns[role])}'" for role in firsts_ns}
    if epochs and others:
        raise UsageError(
            f"{table.path}: column {name[epochs[0]]} has dates of today, and {name[others[0]]} counts from another "
            "beginning: how far they are apart is not known",
            "name columns of one clock: --start, --end, --due, --latency",
        )
    numbers, dated = ([role for role in epochs if (roles.units[role] is None) is is_date] for is_date in (False, True))
    if numbers and dated and zones == {False}:
        raise UsageError(
            f"{table.path}: column {name[numbers[0]]} counts from 1970 in UTC, and the dates in {name[dated[0]]} do "
            "not say their time zone: hours may lie between them",
            "write the dates with their zone",
        )


def _refuse_other_codes(table: Table, roles: Roles, rows: pl.DataFrame, good: frozenset[str]) -> None:
    """Of exit codes and gRPC's, 0 is success; where an HTTP status is wanted, 0 is no answer."""
    at = roles.columns.get("status")
    if at is None or roles.tool:
        return
    found = set(rows["status"].drop_nulls().unique().to_list())
    are_small = all(code.removesuffix(".0").isdecimal() and float(code) < _HTTP_MIN for code in found)
    is_named = not {"exit", "grpc", "return", "returncode", "rc", "errno"}.isdisjoint(words_of(table.name(at)))
    if are_small and found & {"0", "0.0"} and (is_named or len(found) > 1) and not found & good:
        listed = ", ".join(sorted(found)[:_SHOWN_MAX])
        raise UsageError(
            f"{table.path}: column '{table.name(at)}' holds codes that are no HTTP status: {listed}",
            "say which of them mean completed, such as --ok 0, or name another column: --status",
        )


def _are_whole(instants_ns: pl.Series, unit_ns: int) -> bool:
    return not (instants_ns.drop_nulls().to_numpy() % unit_ns).any()


def _notes(table: Table, roles: Roles, rows: pl.DataFrame) -> tuple[str, ...]:
    """What a file's own cells say of each other, and how fine they are."""
    notes = []
    n_again = int(rows["id"].drop_nulls().is_duplicated().sum())
    if roles.ids is not None and n_again:
        rows_have = units.counted(n_again, "row has", "rows have")
        notes.append(
            f"{rows_have} an '{table.name(roles.ids)}' that others have too: each counts as a request of its own, "
            "be it another try of one, or written twice"
        )
    given = [role for role in ("start", "end") if role in roles.columns]
    if all(_are_whole(rows[f"{role}_ns"], _SECOND_NS) for role in given) and rows["start_ns"].n_unique() > 1:
        notes.append(f"every {' and '.join(given)} is a whole second: rates and backlog are no finer")
    if len(given) == 2 and "latency" in roles.columns:
        took_ns = rows.select(
            "latency_ns", apart_ns=(pl.col("end_ns") - pl.col("start_ns") - pl.col("latency_ns")).abs()
        )
        other = took_ns.filter(pl.col("apart_ns") > pl.max_horizontal(_SAME_NS, pl.col("latency_ns") // 100))[
            "apart_ns"
        ]
        if len(other):
            worst = units.duration(float(other.to_numpy().max()) / 1e9)
            n_rows = units.counted(len(other), "row")
            notes.append(f"in {n_rows} the latency is not end - start, by up to {worst}: end - start counts")
    return tuple(notes)


# ---- a batch --------------------------------------------------------------------------------------------------


def _part(table: Table, batch: Batch, roles: Roles, cells: Mapping[int, pl.Series]) -> pl.DataFrame:
    """Instants in ns, texts as they are; only rows that are requests."""
    chosen = np.ones(len(batch.cells[0]), dtype=bool)
    for at, value in roles.where.items():
        chosen &= (cells[at] == value).fill_null(value=False).to_numpy()
    kept = np.flatnonzero(chosen)

    def read(role: str) -> pl.Series:
        """In ns; null where the row has nothing."""
        if role not in roles.columns:
            return pl.Series(np.zeros(len(kept), dtype=np.int64)).set(
                pl.Series([True] * len(kept), dtype=pl.Boolean), None
            )
        at = roles.columns[role]
        series = _without_blanks(cells[at].gather(kept))
        there = series.is_not_null()
        convert = _converter(roles.units[role])
        try:
            values = convert(series.filter(there))
        except BadCell as bad:
            row = int(kept[there.arg_true()[bad.row]])
            cell = BadCell(row, bad.value, bad.problem)
            if role == "latency":
                raise table.bad(batch.place, at, cell, _NO_LATENCY) from None
            raise table.bad(batch.place, at, as_no_time(cell) if bad.problem == NO_NUMBER else cell) from None
        full = np.zeros(len(series), dtype=np.int64)
        full[there.to_numpy()] = values
        return pl.Series(full).set(~there, None)

    frame = pl.DataFrame({f"{role}_ns": read(role) for role in ("due", "start", "end", "latency")})
    if roles.all_at_once:
        frame = frame.with_columns(pl.lit(0, dtype=pl.Int64).alias("start_ns"))
    texts = {
        role: cells[roles.columns[role]].gather(kept).cast(pl.String) if role in roles.columns else None
        for role in _TEXTS
    }
    frame = frame.with_columns(pl.lit(texts[role], dtype=pl.String).alias(role) for role in _TEXTS)
    if roles.meanings:
        frame = frame.with_columns(pl.col("error").replace(dict(roles.meanings)))
    size = _whole(cells[roles.columns["size"]].gather(kept)) if "size" in roles.columns else None
    frame = frame.with_columns(
        pl.lit(size, dtype=pl.Int64).alias("size_in_bytes"),
        pl.coalesce("start_ns", pl.col("end_ns") - pl.col("latency_ns")).alias("start_ns"),
        pl.coalesce("end_ns", pl.col("start_ns") + pl.col("latency_ns")).alias("end_ns"),
        pl.col("phase").fill_null(PHASE),
        _sums(roles, cells, kept),
        pl.lit(None if roles.ids is None else cells[roles.ids].gather(kept).hash(), dtype=pl.UInt64).alias("id"),
    )
    _refuse_counts(table, batch, roles, cells, kept)
    _check(table, batch, roles, frame, kept)
    return frame


def _whole(cells: pl.Series) -> pl.Series:
    """Null where there is no number: pandas writes whole ones as `10.0` where a row has none."""
    return cells.cast(pl.String).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)


def _converter(unit: str | None) -> Callable[[pl.Series], Nanoseconds]:
    if unit is None:
        return dates_ns
    return lengths_ns if unit == OWN_UNIT else lambda some: numbers_ns(some, unit)


def _without_blanks(cells: pl.Series) -> pl.Series:
    """Null where there is nothing: pandas writes NaN for it, others a dash or a word."""
    if cells.dtype.is_float():
        return cells.fill_nan(None)
    if cells.dtype != pl.String:
        return cells
    return cells.set(cells.str.to_lowercase().is_in(list(_BLANKS)).fill_null(value=False), None)


def _sums(roles: Roles, cells: Mapping[int, pl.Series], kept: npt.NDArray[np.intp]) -> pl.Series:
    """Which rows sum up others, as those of JMeter's transactions do: their requests have rows of their own."""
    if roles.sums is None:
        return pl.Series("is_sum", np.zeros(len(kept), dtype=bool))
    at, expression = roles.sums
    return cells[at].gather(kept).cast(pl.String).str.contains(expression).fill_null(value=False).alias("is_sum")


def _refuse_counts(
    table: Table, batch: Batch, roles: Roles, cells: Mapping[int, pl.Series], kept: npt.NDArray[np.intp]
) -> None:
    """A row that sums up several requests, as of a histogram, has one latency and would count as one."""
    if roles.counts is None:
        return
    counts = cells[roles.counts].gather(kept).cast(pl.Float64, strict=False)
    for at in (counts > 1).fill_null(value=False).arg_true().head(1):
        row = int(kept[at])
        raise UsageError(
            f"{table.path}{batch.place(row)}: {counts[at]:g} in column '{table.name(roles.counts)}': the row sums up "
            "several requests",
            "give a row for each request; if the column counts something else, rename it",
        )


def _check(table: Table, batch: Batch, roles: Roles, frame: pl.DataFrame, kept: npt.NDArray[np.intp]) -> None:
    if (missing := frame["start_ns"].is_null()).any():
        row = int(kept[missing.arg_true()[0]])
        at = roles.columns.get("start", roles.columns.get("end", 0))
        raise table.bad(batch.place, at, BadCell(row, None, ""))
    negative = (frame["latency_ns"] < 0).fill_null(value=False)
    if negative.any():
        raise UsageError(
            f"{table.path}{batch.place(int(kept[negative.arg_true()[0]]))}: the latency in column "
            f"'{table.name(roles.columns['latency'])}' is below zero",
            _NO_LATENCY,
        )
    backwards = (frame["end_ns"] < frame["start_ns"]).fill_null(value=False)
    if backwards.any():
        row = int(kept[backwards.arg_true()[0]])
        raise UsageError(
            f"{table.path}{batch.place(row)}: the request ends before it starts",
            "check columns and units; leave the cell of an end that never was empty",
        )


# ---- outcomes and the ledger ----------------------------------------------------------------------------------


def _is_always_said(table: Table, roles: Roles, rows: pl.DataFrame) -> bool:
    """Whether rows that completed say so, too: an error's code is there only where something failed."""
    of_all = [role for role in ("status", "success") if role in roles.columns and rows[role].count()]
    return any("error" not in words_of(table.name(roles.columns[role])) for role in of_all)


def _with_ends(
    rows: pl.DataFrame, timeout_ns: int | None, good: frozenset[str], *, is_always_said: bool
) -> pl.DataFrame:
    """Outcome, status code and error of each row; each different combination is looked at once."""
    keys = ["status", "success", "error"]
    found = rows.select(keys).unique(maintain_order=True)
    ends = [
        end_of(status, success, error, good, is_always_said=is_always_said)
        for status, success, error in found.iter_rows()
    ]
    found = found.with_columns(
        pl.Series("outcome", [end.outcome.value for end in ends], dtype=pl.String),
        pl.Series("status_code", [end.status_code for end in ends], dtype=pl.Int64),
        pl.Series("why", [end.error for end in ends], dtype=pl.String),
        pl.Series("is_timeout", [end.is_timeout for end in ends], dtype=pl.Boolean),
    )
    rows = rows.join(found, on=keys, how="left", nulls_equal=True, maintain_order="left")
    took_ns = pl.col("end_ns") - pl.col("start_ns")
    if timeout_ns is not None:
        is_late = (took_ns >= timeout_ns) & (pl.col("outcome") != Outcome.REJECTED.value)
        rows = rows.with_columns(
            pl.when(is_late).then(pl.lit(Outcome.PENDING.value)).otherwise("outcome").alias("outcome"),
            pl.when(is_late).then(pl.lit(value=True)).otherwise("is_timeout").alias("is_timeout"),
            pl.when(is_late).then(pl.coalesce("why", pl.lit("timed out"))).otherwise("why").alias("why"),
        )
    # Nobody can say how long a request took that completed and whose end has no instant. One that failed never
    # completes, whenever that was.
    is_undated = ~pl.col("outcome").is_in(_NEVER) & pl.col("outcome").is_in(_OVER) & pl.col("end_ns").is_null()
    said = pl.format("{}, and the file does not say when", pl.col("outcome"))
    return rows.with_columns(
        pl.when(is_undated).then(said).otherwise("why").alias("why"),
        pl.when(is_undated)
        .then(
            pl.when(pl.col("status").is_null())
            .then(pl.lit(Outcome.PENDING.value))
            .otherwise(pl.lit(Outcome.UNKNOWN_END.value))
        )
        .otherwise("outcome")
        .alias("outcome"),
    )


def _ledger(rows: pl.DataFrame) -> pl.DataFrame:
    """The ledger's columns. `seen` of a request without an end is when its client gave up."""
    schema = polars_schema(REQUESTS)
    is_over = pl.col("outcome").is_in(_OVER)
    seq = pl.int_range(pl.len(), dtype=pl.Int64)
    values: dict[str, pl.Expr] = {
        "seq": seq,
        "phase": pl.col("phase"),
        "warmup": pl.col("phase").is_in([name for name in rows["phase"].unique() if _WARM_UP.match(name)]),
        "inference_id": pl.format("imported-{}", seq),
        "payload": pl.col("label").fill_null(PHASE),
        "size_in_bytes": pl.col("size_in_bytes"),
        "sched": _instant("due_ns"),
        "send": _instant("start_ns"),
        "done": pl.when(is_over).then(_instant("end_ns")),
        "seen": pl.when(pl.col("outcome") != Outcome.TRANSPORT_ERROR.value).then(_instant("end_ns")),
        "outcome": pl.col("outcome"),
        "accepted": pl.col("outcome").is_in([outcome.value for outcome in ACCEPTED]),
        "status_code": pl.col("status_code"),
        "error": pl.col("why"),
        "attempts": pl.lit(1),
        "notices": pl.lit(0),
        "end_from": pl.when(is_over).then(pl.lit("client")),
        "open": pl.lit(value=False),
        "worker": pl.lit(0),
    }
    return rows.select(values.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items())


def _instant(column: str) -> pl.Expr:
    return pl.from_epoch(pl.col(column), time_unit="ns").dt.replace_time_zone("UTC")


def _spans(rows: pl.DataFrame, order: Mapping[str, int], epoch_ns: int) -> tuple[PhaseSpan, ...]:
    """Each phase from its first request due to one mean gap after its last, else n requests would have n-1 gaps."""
    spans: list[PhaseSpan] = []
    first_seq = 0
    for name, index in order.items():
        due_ns = rows.filter(pl.col("phase") == name)["due_ns"].to_numpy() - epoch_ns
        n, length_ns = len(due_ns), int(due_ns[-1] - due_ns[0])
        spans.append(
            PhaseSpan(
                index=index,
                name=name,
                kind=PHASE,
                warmup=_WARM_UP.match(name) is not None,
                start_ns=int(due_ns[0]),
                end_ns=int(due_ns[-1]) + (-(-length_ns // (n - 1)) if length_ns else 0),
                first_seq=first_seq,
                n=n,
                outstanding=None,
                description=f"{units.counted(n, 'request')} of another tool",
            )
        )
        first_seq += n
    return tuple(spans)
