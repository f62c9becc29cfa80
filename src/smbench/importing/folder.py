"""Makes a results folder from another tool's file: report, compare, plot and thresholds read it as any other."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from smbench import units
from smbench.importing.requests import Imported, import_requests
from smbench.importing.roles import Asked, Roles, roles_of
from smbench.records import Ending
from smbench.results.damage import whole_checksums
from smbench.results.manifest import ClockFacts, Host, ImportedFrom, Manifest
from smbench.results.schema import FILES, polars_schema
from smbench.results.store import PartWriter, compact, new_run_dir
from smbench.schedule.time_column import EPOCH_MIN_NS
from smbench.tables.foreign import open_table
from smbench.tables.opening import Watch
from smbench.tables.table import Table
from smbench.version import __version__


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of an import.

    Args:
        name: Of the run; empty: the file's.
        timeout_ns: After which the tool gave up; None: only where a status or an error says so.
        good: Statuses that mean completed, beside those that are known.
    """

    asked: Asked = field(default_factory=Asked)
    name: str = ""
    timeout_ns: int | None = None
    good: frozenset[str] = frozenset()
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was made, and what a person should see of it."""

    path: Path
    lines: tuple[str, ...]


def import_file(file: Path, results: Path, wanted: Wanted, watch: Watch | None = None) -> Done:
    """Make a results folder below `results` from a file with a row a request.

    Raises:
        UsageError: the file cannot be read, or its columns are not known.
        ResultsError: the folder cannot be written.
    """
    table = open_table(file, wanted.asked.columns.values(), watch)
    roles = roles_of(table, wanted.asked)
    found = import_requests(table, roles, timeout_ns=wanted.timeout_ns, good=wanted.good)
    lacking = _lacking(roles)
    manifest = _manifest(file, table, roles, found, wanted, lacking)
    path = new_run_dir(results, str(manifest.scenario["name"]), manifest.started)
    manifest.write(path)
    PartWriter(path, "requests", 0).write(found.requests)
    for name in ("readings", "events"):
        PartWriter(path, name, 0).write(pl.DataFrame(schema=polars_schema(FILES[name])))
    compact(path)
    manifest.model_copy(update={"ending": Ending.FINISHED, "file_checksums": whole_checksums(path)}).write(path)
    return Done(
        path, (*_lines(table, roles, found), *(f"not known: {figure}: {why}" for figure, why in lacking.items()))
    )


def _lacking(roles: Roles) -> dict[str, str]:
    """Figures that no client-side file has, and why."""
    lacking = {
        "acceptance, queue wait and service": "a client does not see when a request is taken and when it begins",
        "scaling, capacity and cost": "no reading of instances",
        "the generator's health": "the tool's own load is in no row",
    }
    if "due" not in roles.columns:
        late = "the file has no due instants, so latency counts from the send, and waiting inside the tool is left out"
        lacking = {"lateness of the tool": late, **lacking}
    if not _has_failures(roles):
        lacking["failures"] = "the file has no status: a row with an end is taken as completed"
    if roles.leaves_out:
        lacking[roles.leaves_out] = f"{roles.tool} leaves them out, and how many there were"
    return lacking


def _has_failures(roles: Roles) -> bool:
    return bool({"status", "success", "error"} & roles.columns.keys())


def _manifest(
    file: Path, table: Table, roles: Roles, found: Imported, wanted: Wanted, lacking: Mapping[str, str]
) -> Manifest:
    is_dated = found.epoch_ns >= EPOCH_MIN_NS
    now = datetime.datetime.now(datetime.UTC)
    last_ns = found.requests.select(pl.max_horizontal(pl.max("send"), pl.max("seen"))).to_series().dt.timestamp("ns")[0]
    started = datetime.datetime.fromtimestamp(found.epoch_ns // 10**9, datetime.UTC) if is_dated else now
    name = "".join(char if char.isalnum() else "-" for char in (wanted.name or file.name.split(".")[0]).lower())
    notes = [*table.notes, *roles.notes, *found.notes]
    if not is_dated:
        notes.append("its instants count from a beginning of their own: the day is not known")
    return Manifest(
        smbench=__version__,
        run_id=f"imported-{now:%Y%m%d%H%M%S}",
        command=wanted.command,
        started=started,
        ended=datetime.datetime.fromtimestamp(last_ns // 10**9, datetime.UTC) if is_dated else now,
        ending=Ending.RUNNING,
        scenario={"name": name.strip("-") or "imported", "description": f"Imported from {file.name}"},
        spans=found.spans,
        clock=ClockFacts(epoch_ns=found.epoch_ns),
        transport="imported",
        host=Host.this(),
        imported=ImportedFrom(
            file=file.name,
            digest=_digest(file),
            tool=roles.tool,
            columns={role: table.name(at) for role, at in roles.columns.items()},
            lacking=dict(lacking),
            is_due_known="due" in roles.columns,
            n_timeouts=found.n_timeouts,
            has_failures=_has_failures(roles),
            has_unanswered=not roles.leaves_out,
            has_unnoticed=not roles.has_notices_only,
        ),
        notes=tuple(notes),
    )


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _lines(table: Table, roles: Roles, found: Imported) -> list[str]:
    tool = f", written by {roles.tool}" if roles.tool else ""
    lines = [f"{table.path.name}: {table.form}{tool}; {units.counted(found.requests.height, 'request')}"]
    lines += roles.in_words(table)
    if found.n_other_rows:
        lines.append(f"{units.counted(found.n_other_rows, 'other row was', 'other rows were')} left out")
    counts = found.requests["outcome"].value_counts(name="n").sort("n", "outcome", descending=[True, False])
    lines.append(", ".join(f"{outcome} {n:,}" for outcome, n in counts.iter_rows()))
    if found.n_timeouts:
        lines.append(f"{found.n_timeouts:,} timed out: their latency is at least as long as they waited (censored)")
    return [*lines, *table.notes, *roles.notes, *found.notes]
