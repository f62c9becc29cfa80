"""`resume`: names, options and help; `app` registers it."""

from pathlib import Path
from typing import Annotated

import typer

from smbench.cli.options import (
    Output,
    OutputOption,
    ProfileOption,
    RegionOption,
    RunFolder,
    StrictOption,
    Ui,
    UiOption,
    UrlOption,
)


def resume(
    run_folder: RunFolder,
    sends: Annotated[
        bool, typer.Option("--continue", help="Also send what was certainly never sent, later than it was due.")
    ] = False,
    base_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the scenario's files; default: where it was when the run began."),
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    ui: UiOption = Ui.AUTO,
    output: OutputOption = Output.TABLE,
    strict: StrictOption = False,
) -> None:
    """Take up a run that was killed, or whose requests had not all ended: collect their ends, and finish the report.

    Sends nothing unless --continue asks for it, and never anything that may have been sent. Can be repeated, also on
    another machine with a copy of the folder; says so when nothing is left to do.

    Exit status: as `run`.
    """
    from smbench.cli.run import resume_command

    asked = {
        "sends": sends,
        "base_dir": base_dir,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "progress": ui.value,
        "strict": strict,
    }
    raise typer.Exit(resume_command(run_folder, asked, output.value))
