"""`import`: another tool's latencies as a results folder."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from smbench.errors import UsageError
from smbench.importing.folder import Wanted, import_file
from smbench.importing.roles import Asked
from smbench.scenario.values.quantities import parse_duration_s
from smbench.view.live.reading import reading_progress


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """As on the command line."""

    file: Path
    results: Path
    name: str = ""
    columns: Mapping[str, str | None] = field(default_factory=dict)  # by role; None: not named
    unit: str = "auto"
    latency_unit: str = "auto"
    timeout: str | None = None
    good: tuple[str, ...] = ()
    all_at_once: bool = False


def import_command(options: ImportOptions) -> None:
    """Make the folder; what was read goes to stderr, the folder's path to stdout.

    Raises:
        UsageError: the file cannot be read, or an option is wrong.
        ResultsError: the folder cannot be written.
    """
    try:
        timeout_s = None if options.timeout is None else parse_duration_s(options.timeout)
    except ValueError as error:
        raise UsageError(f"--timeout '{options.timeout}': {error}", "write it as 30s, 5m") from None
    asked = {role: column for role, column in options.columns.items() if column is not None}
    wanted = Wanted(
        asked=Asked(asked, options.unit, options.latency_unit, options.all_at_once),
        name=options.name,
        timeout_ns=None if timeout_s is None else round(timeout_s * 1e9),
        good=frozenset(options.good),
        command=("smbench", *sys.argv[1:]),
    )
    done = import_file(options.file, options.results, wanted, reading_progress())
    for line in done.lines:
        typer.echo(line, err=True)
    typer.echo(done.path)
