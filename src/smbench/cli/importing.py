"""The command `import`: another tool's latencies as a results folder."""

from pathlib import Path

import typer

from smbench.api.importing import ImportOptions, make_folder
from smbench.view.live.reading import reading_progress


def import_command(file: Path, results: Path, options: ImportOptions) -> None:
    """Make the folder; what was read goes to stderr, the folder's path to stdout.

    Raises:
        UsageError: the file cannot be read, or an option is wrong.
        ResultsError: the folder cannot be written.
    """
    done = make_folder(file, results, options, reading_progress())
    for line in done.lines:
        typer.echo(line, err=True)
    typer.echo(done.path)
