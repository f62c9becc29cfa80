"""The commands about scenario files: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import AllowFilesOption, SchemaOf, scenarios_beginning


def validate(
    scenario: Annotated[
        Path,
        typer.Argument(
            metavar="SCENARIO",
            help="A scenario file, or the name of a shipped scenario.",
            autocompletion=scenarios_beginning,
        ),
    ],
    allow_files: AllowFilesOption = None,
) -> None:
    """Check a scenario and say in words what it would do. Nothing is started.

    A mistake is shown with file, line and column. A correct scenario is described: requests, duration, cost, and
    whether the endpoint can keep up.
    """
    from smbench.cli.scenarios import validate_command

    validate_command(scenario, tuple(allow_files or ()))


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    calibration: Annotated[
        bool,
        typer.Option(
            "--calibration", help="Write one whose run `smbench calibrate` can fit a model to, and say what it costs."
        ),
    ] = False,
) -> None:
    """Write a commented scenario that runs as it is."""
    from smbench.cli.scenarios import init_command

    init_command(file, is_forced=force, is_calibration=calibration)


def schema(
    of: Annotated[
        SchemaOf,
        typer.Argument(
            metavar="OF", help="`scenario`, for editors, or `summary`, for programs that read summary.json."
        ),
    ] = (SchemaOf.SCENARIO),
) -> None:
    """Print the JSON schema of a scenario file or of a run's summary.json."""
    from smbench.cli.scenarios import schema_command

    schema_command(of.value)
