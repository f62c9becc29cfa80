"""The `smbench` command: all commands under their names, and what becomes of an error."""

import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer
import typer.core

from smbench.cli.signatures import account, deploying, machines, predicting, reading, running, scenarios, sweeping
from smbench.cli.signatures.help_page import HelpPage
from smbench.errors import ExitCode, SmbenchError
from smbench.open_files import require_least
from smbench.printable import guard_streams
from smbench.results.secrets import redacted
from smbench.version import __version__


class _ByPurpose(typer.core.TyperGroup):
    """Lists the commands below what they are for; no line of theirs is cut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        longest = max(map(len, self.commands))
        for purpose, commands in _COMMANDS.items():
            with formatter.section(purpose):
                formatter.write_dl([(name.ljust(longest), line) for name, _, line in commands])


app = typer.Typer(
    name="smbench",
    cls=_ByPurpose,
    help="Benchmark SageMaker inference endpoints, asynchronous ones first, and trust the answer.\n\n"
    "Without an endpoint everything runs against an emulated one on this machine: no AWS account, no cost.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
    require_least()


_COMMANDS: dict[str, tuple[tuple[str, Callable[..., None], str], ...]] = {
    "Measure": (
        ("init", scenarios.init, "Write a commented scenario that runs as it is."),
        ("validate", scenarios.validate, "Say what a scenario would do; nothing is started."),
        ("run", running.run, "Run a scenario and judge it."),
        ("resume", running.resume, "Take up a run that was killed, or ended too early."),
        ("attach", running.attach, "Watch a run that goes on in another process."),
        ("stop", running.stop, "End a run that goes on in another process."),
        ("ps", running.ps, "List the runs of this machine, the latest first."),
    ),
    "Read what was measured": (
        ("report", reading.report, "Print the summary of a run again, from its files."),
        ("compare", reading.compare, "Compare runs with a baseline; say how sure it is."),
        ("plot", reading.plot, "Write each plot of a run as a file."),
        ("import", reading.import_, "Make a run of another tool's latencies."),
    ),
    "Find the configuration": (
        ("sweep", sweeping.sweep, "Run a matrix of scenarios; say which one to take."),
        ("search", sweeping.search, "Find the highest rate that the endpoint sustains."),
        ("scaling-target", sweeping.scaling_target, "Derive a scaling target from where it saturates."),
        ("recommend", account.recommend, "Ask SageMaker's Inference Recommender."),
        ("prices", sweeping.prices, "Show or refresh the prices that costs come from."),
    ),
    "Predict": (
        ("simulate", predicting.simulate, "Predict a run by the model of the endpoint."),
        ("calibrate", predicting.calibrate, "Fit the model of an endpoint from its runs."),
        ("check-model", predicting.check_model, "Grade how well a model predicts a run."),
        ("what-if", predicting.what_if, "Predict many scaling policies under one load."),
        ("advise", predicting.advise, "Find the cheapest policy that keeps an objective."),
    ),
    "Use an AWS account": (
        ("doctor", account.doctor, "Find out whether a run can begin, and what to do."),
        ("policy", account.policy, "Print the least that IAM must allow."),
        ("deploy", deploying.deploy, "Bring up a stack to be measured; costs money."),
        ("destroy", deploying.destroy, "Remove such a stack and all that is in it."),
        ("clean", account.clean, "Remove what runs left in an account."),
    ),
    "Send from several machines": (
        ("order", machines.order, "Write the plan of a run once, for all workers."),
        ("worker", machines.worker, "Send one shard of an order."),
        ("collect", machines.collect, "Make one run of what the shards left, judge it."),
    ),
    "Use this machine": (
        ("emulate", running.emulate, "Serve the emulated AWS services on loopback."),
        ("bench", running.bench, "Measure what this machine can send."),
        ("schema", scenarios.schema, "Print a JSON schema, for editors."),
    ),
}
"""By purpose, as `--help` lists them: name, function, and one line that fits beside the longest name in 80 columns."""

for _commands in _COMMANDS.values():
    for _name, _command, _line in _commands:
        app.command(_name, cls=HelpPage, short_help=_line)(_command)


def main() -> None:
    """Run the command; no traceback reaches a user unless the fault is ours."""
    _open_stdout()
    guard_streams()
    try:
        try:
            app(prog_name="smbench")
        finally:
            sys.stdout.flush()  # what cannot be written is found here, and not when the interpreter has ended
    except SmbenchError as error:
        _end(error.exit_code, error.message, error.advice)
    except KeyboardInterrupt:
        _end(ExitCode.INTERRUPTED, "interrupted")
    except SystemExit as end:
        if _is_ctrl_c(end):
            _end(ExitCode.INTERRUPTED, "interrupted")
        raise
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


def _is_ctrl_c(end: SystemExit) -> bool:
    """Typer makes a silent exit of a KeyboardInterrupt that no command had a word for."""
    cause = None if end.__context__ is None else end.__context__.__cause__
    return end.code == ExitCode.INTERRUPTED and isinstance(cause, KeyboardInterrupt)


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
