"""Which columns of another tool's file hold what: known tools by their header, else by name, else as asked.

A tool's own habits decide more than its header shows: k6 stamps a request when it ends, JMeter when it starts, vegeta
counts nanoseconds. What is guessed is shown to the user, and what no name says is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from smbench.errors import UsageError
from smbench.importing.tools import JMETER_NOTE, SUMS, TOOLS, Tool
from smbench.schedule.time_column import OF_LENGTHS, no_unit, time_column, unit_of
from smbench.tables.json_documents import no_rows
from smbench.tables.json_rows import JSON_LINES
from smbench.tables.table import Table
from smbench.tables.timestamps import (
    is_date,
    is_length,
    is_number,
    parse_number,
    split_unit,
    unit_of_epoch,
    words_of,
)

ROLES = ("due", "start", "end", "latency", "status", "success", "error", "label", "phase", "size")
INSTANTS = ("due", "start", "end")
OWN_UNIT = "a unit in each cell"  # of a latency: `12.5ms`
_OUTCOMES = {"status", "success", "error"}
_PLACED = {"start", "end", "latency"}  # two of these place a request in time
_WORDS: dict[str, set[str]] = {
    "due": {"due", "scheduled", "intended", "planned"},
    "end": {"end", "ended", "finish", "finished", "completed", "done", "responded"},
    "latency": {"latency", "elapsed", "duration", "took", "rt", "responsetime"},
    "status": {"status", "code", "statuscode", "responsecode", "outcome", "result", "state"},
    "success": {"success", "successful", "succeeded", "ok", "passed"},
    "error": {"error", "errors", "err", "exception", "failure", "failures", "failed", "reason"},
    "label": {"label", "endpoint", "name"},
    "phase": {"phase"},
    "size": {"size", "bytes"},
}
_OF_A_PART = {  # of a request: the name of such a column has a word for latency or end, and does not mean the whole
    "queue", "queued", "queueing", "queuing", "wait", "waiting", "blocked", "connect", "connecting", "connection",
    "dns", "lookup", "tls", "ssl", "handshake", "first", "ttft", "ttfb", "itl", "tpot", "token", "tokens", "inter",
    "prefill", "decode", "network", "upstream", "model", "overhead", "init", "billed",
}  # fmt: skip
_OF_SEVERAL = {  # requests: the name of such a column has a word for latency, and is a statistic; `p` is p99's
    "mean", "avg", "average", "median", "min", "minimum", "max", "maximum", "std", "stdev", "stddev", "variance", "p",
    "percentile", "quantile",
}  # fmt: skip
_STATUS = re.compile(r"0|[1-5]\d\d", re.ASCII)  # of HTTP; 0: no answer
_ROW_DIGITS_MAX = 18  # of the number of a row
_IDS = {"id", "requestid", "reqid", "inferenceid", "invocationid", "correlationid", "messageid", "traceid", "uuid"}
_COUNTS = {"count", "samplecount", "requestcount", "numrequests", "nrequests", "requests", "hits", "occurrences"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says: column names by role, and units."""

    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = "auto"  # of instants that are numbers
    latency_unit: str = "auto"
    all_at_once: bool = False  # every request was sent at the same instant, and the file does not say which


@dataclass(frozen=True, slots=True)
class Roles:
    """Where each thing is. Instants have a unit, or None for dates."""

    tool: str  # empty: none that is known
    columns: Mapping[str, int]
    units: Mapping[str, str | None]  # of due, start, end and latency
    where: Mapping[int, str] = field(default_factory=dict)  # only rows with these cells are requests
    notes: tuple[str, ...] = ()
    all_at_once: bool = False
    leaves_out: str = ""  # requests of which the tool writes no row
    has_notices_only: bool = False  # nor for one of whose end no notice came
    sums: tuple[int, str] | None = None  # a column, and an expression that its cells match where a row sums up others
    counts: int | None = None  # a column that says how many requests a row sums up
    ids: int | None = None  # a column that names each request
    meanings: Mapping[str, str] = field(default_factory=dict)  # of codes in the column of errors
    lacks: str = ""  # why such a file cannot be a run

    def in_words(self, table: Table) -> list[str]:
        """One line a role: `start: column 'submitted', dates`."""
        lines = []
        for role, at in self.columns.items():
            unit = f", {self.units[role] or 'dates'}" if role in self.units else ""
            lines.append(f"{role}: column '{table.name(at)}'{unit}")
        return lines


_VEGETA_WIDTHS = (11, 12)  # without and with response headers
_H2LOAD_WIDTH = 3  # at least
_OF_LOST_CONNECTIONS = "requests whose connection was lost or timed out"
_JTL_WIDTH = 8  # at least: all versions of JMeter have begun a row alike


def roles_of(table: Table, asked: Asked) -> Roles:
    """Find the columns: what was asked for first, then a known tool's, then by name.

    Raises:
        UsageError: a column that was asked for is missing, the file holds sums, or neither start and latency, start
            and end nor end and latency can be found; the message says what to write.
    """
    if what := _sums(table.names or ()):
        raise no_rows(table.path, what)
    try:
        return _roles_of(table, asked)
    except UsageError as error:
        if table.form == JSON_LINES and len(table.head) == 1 and not asked.columns:
            raise UsageError(
                f"{table.path} is one JSON object, no requests", "give it an object for each request"
            ) from error
        raise


def _roles_of(table: Table, asked: Asked) -> Roles:
    known = _known(table)
    if known.lacks and "start" not in asked.columns:
        raise UsageError(f"{table.path}: {known.tool} does not write {known.lacks}", "add a column of them: --start")
    columns = dict(known.columns)
    if not known.tool:
        by_name = _by_name(table, asked)
        if asked.all_at_once:
            columns = {role: at for role, at in by_name.items() if role not in INSTANTS}
        elif asked.columns.keys() & _PLACED:  # one place is named: the others are not guessed beside it
            columns = {role: at for role, at in by_name.items() if role not in (*INSTANTS, "latency")}
        else:
            columns = _with_start(table, by_name)
    columns |= {role: table.find(column) for role, column in asked.columns.items()}
    units = _units(table, columns, known.units, asked)
    columns = _ordered(table, columns, all_at_once=asked.all_at_once)
    counts = next((at for at in _called(table, columns, _COUNTS) if not _numbers_rows(table, at)), None)
    ids = next(iter(_called(table, columns, _IDS)), None)
    return replace(known, columns=columns, units=units, all_at_once=asked.all_at_once, counts=counts, ids=ids)


def _called(table: Table, columns: Mapping[str, int], names: set[str]) -> list[int]:
    """The columns of these names that are not taken for something else."""
    taken = columns.values()
    return [at for at, name in enumerate(table.names or ()) if "".join(words_of(name)) in names and at not in taken]


def _numbers_rows(table: Table, at: int) -> bool:
    """Whether a column only numbers the rows of the file: 1, 2, 3."""
    cells = [row[at] or "" for row in table.head]
    first = int(cells[0]) if cells[0].isdecimal() and len(cells[0]) <= _ROW_DIGITS_MAX else 0
    return cells == [str(first + place) for place in range(len(cells))]


def _sums(names: Sequence[str]) -> str:
    """What summary this is; empty where it is none that is known."""
    for needed, what in SUMS:
        if needed <= set(names):
            return what
    return ""


def _known(table: Table) -> Roles:
    """A known tool's columns and the units that it writes; `auto` where it has several."""
    names = table.names or ()
    for tool in TOOLS:
        if set(tool.needs) <= set(names) and tool.form in ("", table.form):
            columns = {role: table.find(name) for role, name in _names_of(tool, names).items()}
            where = {table.find(name): value for name, value in tool.where.items()}
            units = {"latency": tool.latency_unit, **dict.fromkeys(INSTANTS, tool.unit)}
            has_sums = tool.sums is not None and tool.sums[0] in names
            sums = (table.find(tool.sums[0]), tool.sums[1]) if tool.sums is not None and has_sums else None
            return Roles(
                tool.name,
                columns,
                units,
                where,
                tool.notes,
                leaves_out=tool.leaves_out,
                has_notices_only=tool.has_notices_only,
                sums=sums,
                meanings=tool.meanings,
                lacks=tool.lacks,
            )
    if _is_vegeta_csv(table):
        columns = {"start": 0, "status": 1, "latency": 2, "error": 5, "label": 7}
        return Roles("vegeta", columns, {"start": "ns", "latency": "ns"})
    if _is_jtl(table):
        columns = {"start": 0, "latency": 1, "status": 3, "success": 7, "label": 2}
        notes = ("JMeter's file has no header, so its usual first columns are taken", JMETER_NOTE)
        return Roles("JMeter", columns, {"start": "ms", "latency": "ms"}, notes=notes)
    if _is_h2load_log(table):
        columns = {"start": 0, "status": 1, "latency": 2}
        return Roles("h2load", columns, {"start": "us", "latency": "us"}, leaves_out=_OF_LOST_CONNECTIONS)
    return Roles("", {}, {})


def _names_of(tool: Tool, names: Sequence[str]) -> dict[str, str]:
    """The tool's columns that the file has, role by role."""
    return {role: name for of in (tool.stand_ins, tool.columns) for role, name in of.items() if name in names}


def _ordered(table: Table, columns: Mapping[str, int], *, all_at_once: bool) -> dict[str, int]:
    """The roles in their order, each column in one role, enough of them."""
    placed = [role for role in ("start", "end", "latency") if role in columns]
    if twice := next((role for role in placed if [columns[one] for one in placed].count(columns[role]) > 1), None):
        both = " and ".join(role for role in placed if columns[role] == columns[twice])
        raise UsageError(
            f"{table.path}: column '{table.name(columns[twice])}' is named for {both}",
            f"name one column for each; {table.listed()}",
        )
    if all_at_once:
        if "start" in columns or "end" in columns:
            raise UsageError(f"{table.path}: it says when requests were sent, so they were not all sent at once")
        if "latency" not in columns:
            raise UsageError(
                f"{table.path}: no column holds the latency{_several(table, columns)}",
                f"name it: --latency; its columns: {table.listed()}",
            )
        return {role: columns[role] for role in ROLES if role in columns}
    if not ("start" in columns and columns.keys() & {"end", "latency"}) and not {"end", "latency"} <= columns.keys():
        have = ", ".join(role for role in ("start", "end", "latency") if role in columns) or "none of them"
        which = _several(table, columns)
        raise UsageError(
            f"{table.path}: needs a start and an end, or one of them and a latency; found: {have}{which}",
            f"name them: --start, --end, --latency; its columns: {table.listed()}",
        )
    return {role: columns[role] for role in ROLES if role in columns}


def _several(table: Table, columns: Mapping[str, int]) -> str:
    """The candidates of each place in time that was not found because there are several."""
    missing = [role for role in ("end", "latency") if role not in columns]
    several = {role: _matching(table, role) for role in missing}
    asked = [
        f"; which is the {role}: {' or '.join(map(table.name, found))}?"
        for role, found in several.items()
        if len(found) > 1
    ]
    left_out = {at: None for role in missing for at in _with_a_word(table, role)}
    for words, what in ((_OF_A_PART, "only parts of a request"), (_OF_SEVERAL, "statistics of several requests")):
        if named := ", ".join(table.name(at) for at in left_out if _has_one_of(table, at, words)):
            asked.append(f"; by their names {what}: {named}")
    return "".join(asked)


def _is_vegeta_csv(table: Table) -> bool:
    first = table.head[0]
    if table.names is not None or table.width not in _VEGETA_WIDTHS:
        return False
    stamp, code, latency = first[0] or "", first[1] or "", first[2] or ""
    is_stamp = is_number(stamp) and unit_of_epoch(parse_number(stamp)) == "ns"
    return is_stamp and _STATUS.fullmatch(code) is not None and latency.isdecimal()


def _is_h2load_log(table: Table) -> bool:
    """Start, status (-1 where the stream failed) and time to the end, without a header; newer ones may have more."""
    first = table.head[0]
    if table.names is not None or table.width < _H2LOAD_WIDTH:
        return False
    stamp, code, latency = first[0] or "", first[1] or "", first[2] or ""
    is_stamp = is_number(stamp) and unit_of_epoch(parse_number(stamp)) == "us"
    is_status = code == "-1" or (code != "0" and _STATUS.fullmatch(code) is not None)
    return is_stamp and is_status and latency.isdecimal()


def _is_jtl(table: Table) -> bool:
    """A results file of JMeter with `print_field_names=false`: start, elapsed, label, code, ..., success."""
    first = table.head[0]
    if table.names is not None or table.width < _JTL_WIDTH or first[7] not in ("true", "false"):
        return False
    stamp, elapsed = first[0] or "", first[1] or ""
    return is_number(stamp) and unit_of_epoch(parse_number(stamp)) == "ms" and elapsed.isdecimal()


def _by_name(table: Table, asked: Asked) -> dict[str, int]:
    """Each role's column, where exactly one has a word for it.

    Raises:
        UsageError: several could say how requests ended. To choose none would make failures completed ones.
    """
    found = {}
    for role, own in _WORDS.items():
        matching = _matching(table, role)
        if role in _OUTCOMES and len(matching) > 1:
            exact = [at for at in matching if split_unit(table.name(at).rpartition(".")[2])[0] in own]
            matching = _of_an_error(table, matching) if role == "error" and len(exact) != 1 else exact or matching
            if len(exact) > 1 and len(matching) > 1 and not asked.columns.keys() & _OUTCOMES:
                named = ", ".join(table.name(at) for at in matching)
                raise UsageError(f"{table.path}: which column is the {role}: {named}?", f"name it: --{role}")
        if len(matching) == 1:
            found[role] = matching[0]
    return found


def _with_a_word(table: Table, role: str) -> list[int]:
    """The columns whose names have a word for a role."""
    own, found = _WORDS[role], []
    for at, name in enumerate(table.names or ()):
        words = words_of(name)
        plain, _ = split_unit(name)
        if own.intersection(words) or plain in own or (role == "latency" and plain.endswith("responsetime")):
            found.append(at)
    return found


def _has_one_of(table: Table, at: int, words: set[str]) -> bool:
    """Whether a column's name has one of these words."""
    return not words.isdisjoint(words_of(table.name(at)))


def _matching(table: Table, role: str) -> list[int]:
    """The columns that may be meant by a role."""
    matching = _with_a_word(table, role)
    if role in ("end", "latency"):
        matching = [at for at in matching if not _has_one_of(table, at, _OF_A_PART | _OF_SEVERAL)]
    if role == "status":
        matching = [at for at in matching if not {"error", "success"} & set(words_of(table.name(at)))]
    if role == "end":
        matching = [at for at in matching if _is_instant(table, at)]
        matching = [at for at in matching if not OF_LENGTHS.intersection(words_of(table.name(at)))]
    return matching


def _of_an_error(table: Table, matching: list[int]) -> list[int]:
    """Of several columns that speak of an error: the object whose parts they are, where some rows have null or nothing
    in its place; else its message; else its first part."""
    names = {at: (table.names or ())[at] for at in matching}
    root = min(names.values(), key=len).partition(".")[0]
    is_one = all(name == root or name.startswith(f"{root}.") for name in names.values())
    whole = [at for at, name in names.items() if is_one and name == root]
    messages = [at for at, name in names.items() if name.lower().endswith("message")]
    return whole or messages or (matching[:1] if is_one else matching)


def _is_instant(table: Table, at: int) -> bool:
    cell = next((row[at] for row in table.head if row[at]), "") or ""
    return is_number(cell) or is_date(cell)


def _with_start(table: Table, columns: dict[str, int]) -> dict[str, int]:
    """The start by the rules of traces, unless end and latency are enough."""
    taken = set(columns.values())
    try:
        start = time_column(table, None, is_end_wanted=False, has_counts=False).at
    except UsageError as error:
        if {"end", "latency"} <= columns.keys():
            return columns
        # The advice that came names keys of a scenario.
        advice = f"name it: --start, or say --all-at-once; its columns: {table.listed()}"
        raise UsageError(error.message, advice) from error
    return columns if start in taken else {**columns, "start": start}


def _units(
    table: Table, columns: Mapping[str, int], known: Mapping[str, str | None], asked: Asked
) -> dict[str, str | None]:
    units: dict[str, str | None] = {}
    for role in INSTANTS:
        if role in columns:
            at = columns[role]
            cell = next((row[at] for row in table.head if row[at]), "") or ""
            wanted = asked.unit if asked.unit != "auto" else (known.get(role) or "auto")
            units[role] = None if is_date(cell) else _unit_of(table, at, wanted)
    if "latency" in columns:
        at = columns["latency"]
        wanted = asked.latency_unit if asked.latency_unit != "auto" else (known.get("latency") or "auto")
        _, named = split_unit(table.name(at))
        unit = "ns" if at in table.lengths else named if wanted == "auto" else wanted
        cell = next((row[at] for row in table.head if row[at]), "") or ""
        if is_length(cell):
            unit = OWN_UNIT
        elif is_date(cell):
            raise UsageError(
                f"{table.path}: column '{table.name(at)}' holds dates, and no latencies", "name another: --latency"
            )
        if unit is None:
            error = no_unit(table, columns["latency"])
            raise UsageError(error.message, "say --latency-unit: s, ms, us or ns")
        units["latency"] = unit
    return units


def _unit_of(table: Table, at: int, wanted: str) -> str:
    try:
        return unit_of(table, at, wanted)[0]
    except UsageError as error:
        raise UsageError(error.message, "say --unit: s, ms, us or ns; is it a latency, name it: --latency") from error
