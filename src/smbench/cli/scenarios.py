"""The commands `validate`, `init` and `schema`: help to write a scenario; nothing is started."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from smbench import units
from smbench.api.scenarios import validate
from smbench.errors import UsageError
from smbench.scenario.describe import sentences
from smbench.scenario.schema import json_schema
from smbench.scenario.starter import starter_scenario


def validate_command(file: Path, allow_files: Sequence[Path] = ()) -> None:
    """Print the scenario in words and the size of its schedule. Raises ScenarioError where it is wrong."""
    found = validate(file, allow_files=allow_files, shows_reading=True)
    wrong = found.warnings
    typer.echo(f"{file}: fine" + (f", with {units.counted(len(wrong), 'warning')}" if wrong else ""))
    for line in wrong:
        typer.echo(f"  warning: {line}")
    for line in (*sentences(found.scenario), *found.notes):
        typer.echo(line)
    digest = f"; its digest is {found.schedule_digest[:16]}" if found.schedule_digest else ", drawn when it is run"
    typer.echo(f"The schedule has {units.counted(found.n_requests, 'request')}{digest}.")


def init_command(file: Path, *, is_forced: bool, is_calibration: bool = False) -> None:
    """Write a scenario to begin with, named after the file. Raises UsageError: it exists, or cannot be written."""
    if file.exists() and not is_forced:
        raise UsageError(f"{file} exists already", "give another name, or --force to overwrite it")
    name = "".join(char if char.isalnum() else "-" for char in file.stem.lower()).strip("-") or "scenario"
    try:
        file.write_text(starter_scenario(name, is_calibration=is_calibration), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
    if is_calibration:  # what it takes and costs is known before it starts
        for note in validate(file).notes:
            typer.echo(note)
    typer.echo(f"wrote {file}; next: smbench run {file}")


def schema_command(of: str) -> None:
    """Print the JSON schema, of a scenario or of `summary.json`."""
    if of == "summary":
        from smbench.view.report.summary_file import summary_schema  # with it comes all of the analysis

        schema = summary_schema()
    else:
        schema = json_schema()
    typer.echo(json.dumps(schema, indent=2))
