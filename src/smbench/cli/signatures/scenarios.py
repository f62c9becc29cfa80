"""The commands about scenario files: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import AllowFilesOption, SchemaOf


def validate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file.")],
    allow_files: AllowFilesOption = None,
) -> None:
    """Check a scenario and say in words what it would do. Nothing is started."""
    from smbench.cli.scenarios import validate_command

    validate_command(scenario, tuple(allow_files or ()))


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path("scenario.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="One from whose run `calibrate` can fit a model; says what it costs.")
    ] = False,
) -> None:
    """Write a commented scenario that runs as it is."""
    from smbench.cli.scenarios import init_command

    init_command(file, is_forced=force, is_calibration=calibration)


def schema(
    of: Annotated[SchemaOf, typer.Argument(help="Of a scenario, for editors, or of a run's summary.json.")] = (
        SchemaOf.SCENARIO
    ),
) -> None:
    """Print a JSON schema."""
    from smbench.cli.scenarios import schema_command

    schema_command(of.value)
