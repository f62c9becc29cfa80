"""The command `plot`: every picture of a run as a file of its own."""

from collections.abc import Sequence
from pathlib import Path

import typer

from smbench.api.report import report
from smbench.errors import ResultsError
from smbench.results.files import write_whole
from smbench.view.page.gallery import gallery
from smbench.view.page.pictures import to_png, to_svg


def plot_command(run_dir: Path, out: Path, formats: Sequence[str]) -> None:
    """Write the pictures into `out`, which is made where it is missing, and print their paths to stdout.

    Raises:
        ResultsError: it is no run, its files are damaged, or `out` cannot be written to.
    """
    result = report(run_dir)
    shown = gallery(result.frames, result.summary).shown()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for picture in shown:
            for kind in formats:
                path = out / f"{picture.name}.{kind}"
                write_whole(path, to_png(picture) if kind == "png" else to_svg(picture).encode())
                typer.echo(path)
    except OSError as error:
        raise ResultsError(f"cannot write to {out}: {error.strerror or error}", "name another place") from error
    if not shown:
        typer.echo(f"{run_dir} has nothing to draw: no request was accepted", err=True)
