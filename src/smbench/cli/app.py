"""The `smbench` command: all commands under their names, and what becomes of an error."""

import io
import os
import sys
import traceback
from typing import Annotated

import typer

from smbench.cli.signatures import account, deploying, machines, predicting, reading, running, scenarios, sweeping
from smbench.errors import ExitCode, SmbenchError
from smbench.printable import guard_streams
from smbench.results.secrets import redacted
from smbench.version import __version__

app = typer.Typer(
    name="smbench",
    help="Benchmark SageMaker inference endpoints, asynchronous ones first, and trust the answer.\n\n"
    "Without an endpoint everything runs against an emulated one on this machine: no AWS account, no cost.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"smbench {__version__}")
        raise typer.Exit


@app.callback()
def _smbench(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command()(running.run)
app.command()(running.resume)
app.command()(running.attach)
app.command()(running.stop)
app.command()(running.ps)
app.command()(machines.order)
app.command()(machines.worker)
app.command()(machines.collect)
app.command()(sweeping.sweep)
app.command()(sweeping.search)
app.command("scaling-target")(sweeping.scaling_target)
app.command()(sweeping.prices)
app.command()(deploying.deploy)
app.command()(deploying.destroy)
app.command()(running.bench)
app.command()(account.doctor)
app.command()(account.policy)
app.command()(account.clean)
app.command()(account.recommend)
app.command()(reading.report)
app.command()(reading.plot)
app.command()(reading.compare)
app.command("import")(reading.import_)
app.command()(predicting.calibrate)
app.command("check-model")(predicting.check_model)
app.command()(scenarios.validate)
app.command()(scenarios.init)
app.command()(scenarios.schema)
app.command()(running.emulate)
app.command()(predicting.simulate)
app.command("what-if")(predicting.what_if)
app.command()(predicting.advise)


def main() -> None:
    """Run the command; no traceback reaches a user unless the fault is ours."""
    _open_stdout()
    guard_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what cannot be written is found here, and not when the interpreter has ended
    except SmbenchError as error:
        _end(error.exit_code, error.message, error.advice)
    except KeyboardInterrupt:
        _end(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our stdout has ended (`| head`)
        _end(ExitCode.OK)
    except MemoryError:
        _end(ExitCode.MACHINE, "there is too little memory for this", "a run's folder, where one was begun, is kept")
    except Exception as error:  # noqa: BLE001  # the top of the program: whatever else this is, it is a bug of ours
        if isinstance(error, OSError) and error.filename is None:  # of a file it would have the name
            _end(
                ExitCode.MACHINE,
                f"cannot write to stdout: {error.strerror or error}",
                "nothing else is wrong: the folder of a run is whole, and `smbench report` prints it again",
            )
        traceback.print_exc()
        _end(ExitCode.BUG, "this is a bug in smbench; the lines above say where")


def _open_stdout() -> None:
    """A stdout that was closed refuses what is written to it, as a full one does, and names have any letters."""
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _end(status: ExitCode, message: str = "", advice: str = "") -> None:
    """Say why, and end; what stdout still holds is dropped, so that the interpreter does not complain of it."""
    for line in (f"smbench: {message}" if message else "", f"  {advice}" if advice else ""):
        if line and sys.stderr is not None:
            print(redacted(line), file=sys.stderr)  # noqa: T201  # the command's own last word
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
