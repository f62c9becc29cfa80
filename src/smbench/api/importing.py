"""Another tool's latencies as a run: a folder that every report reads, and the run read from it."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smbench.api.report import report
from smbench.api.result import Run
from smbench.errors import UsageError
from smbench.importing.folder import Done, Wanted, import_file
from smbench.importing.roles import Asked
from smbench.scenario.values.quantities import parse_duration_s
from smbench.tables.opening import Watch


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file; what is not given is guessed from its columns, and said.

    Attributes:
        name: Of the run; empty: the file's.
        columns: The file's column for each of due, start, end, latency, status, success, error, label, phase, size.
        unit, latency_unit: Of numbers: s, ms, us or ns; `auto` goes by their size and their column's name.
        timeout: After which the tool gave up (`30s`): such rows took longer than that.
        good: Statuses that mean completed, beside those that are known.
        all_at_once: All requests were sent at one instant, and no column has it.
    """

    name: str = ""
    columns: Mapping[str, str] | None = None
    unit: str = "auto"
    latency_unit: str = "auto"
    timeout: str | None = None
    good: Sequence[str] = ()
    all_at_once: bool = False


def make_folder(file: Path, results: Path, options: ImportOptions, watch: Watch | None = None) -> Done:
    """The folder of an import, and what a person should see of how the file was read.

    Raises:
        UsageError: the file cannot be read, or an option is wrong.
        ResultsError: the folder cannot be written.
    """
    try:
        timeout_s = None if options.timeout is None else parse_duration_s(options.timeout)
    except ValueError as error:
        raise UsageError(f"--timeout '{options.timeout}': {error}", "write it as 30s, 5m") from None
    wanted = Wanted(
        asked=Asked(dict(options.columns or {}), options.unit, options.latency_unit, options.all_at_once),
        name=options.name,
        timeout_ns=None if timeout_s is None else round(timeout_s * 1e9),
        good=frozenset(options.good),
        command=("smbench", *sys.argv[1:]),
    )
    return import_file(file, results, wanted, watch)


def import_run(
    file: str | os.PathLike[str],
    results: str | os.PathLike[str] = "results",
    *,
    name: str = "",
    columns: Mapping[str, str] | None = None,
    unit: str = "auto",
    latency_unit: str = "auto",
    timeout: str | None = None,
    good: Sequence[str] = (),
    all_at_once: bool = False,
) -> Run:
    """Make a run of a CSV, JSON or parquet file with a row a request, as `smbench import` does.

    Args:
        file: May be packed (gzip, zstd).
        results: The folder in which the run gets a folder of its own.
        name, columns, unit, latency_unit, timeout, good, all_at_once: See `ImportOptions`.

    Returns:
        The run, judged; figures that no client's file has are unknown, with the reason.

    Raises:
        UsageError: the file cannot be read, or its columns are not known.
        ResultsError: the folder cannot be written.
    """
    options = ImportOptions(name, columns, unit, latency_unit, timeout, good, all_at_once)
    return report(make_folder(Path(file), Path(results), options).path)
