"""The commands `attach` and `stop`: watch and end runs of other processes on this machine."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import typer

from smbench.api.report import report
from smbench.cli.report import ReportOptions, print_report
from smbench.errors import ExitCode, InvalidRunError
from smbench.lifecycle.background.following import ask_to_stop, wait_for_end, watch
from smbench.lifecycle.background.leaving import Foreground
from smbench.lifecycle.background.registry import Known, known_run, registry_place
from smbench.records import Ending
from smbench.results.manifest import read_manifest
from smbench.view.live.choose import choose_view


def say_how_to_attach(foreground: Foreground) -> None:
    """After `run --detach`: the folder on stdout, for scripts; on stderr what can be done with it."""
    folder = foreground.folder
    if folder is None:
        return
    lines = (
        f"the run goes on without this terminal, in {folder}",
        f"  smbench attach {folder}       watch it; Ctrl-C leaves it alone",
        f"  smbench stop {folder}         send no more, follow what was sent, report",
        f"  smbench stop --now {folder}   stop at once, keep what is known",
    )
    for line in lines:
        typer.echo(f"smbench: {line}", err=True)
    typer.echo(folder)


def attach_command(folder: Path, ui: str, output: str) -> ExitCode:
    """Watch a run until its end, then print its report; returns the run's exit status, 130 after Ctrl-C.

    Raises:
        ResultsError, UsageError: it is no run, or cannot be watched.
        InvalidRunError: it was killed.
    """
    place = registry_place()
    known = known_run(place, folder)
    if known is not None and known.is_alive:
        try:
            if not watch(known, folder, choose_view(ui, sys.stderr, os.environ)):
                typer.echo(f"smbench: the run in {folder} has ended and is being closed", err=True)
            known = wait_for_end(place, folder)
        except KeyboardInterrupt:
            typer.echo(f"smbench: the run in {folder} goes on", err=True)
            return ExitCode.INTERRUPTED
    return _ended(folder, known, output)


def _ended(folder: Path, known: Known | None, output: str) -> ExitCode:
    ending = read_manifest(folder).ending
    if ending is Ending.RUNNING:
        raise InvalidRunError(*_not_going_on(folder))
    typer.echo(f"smbench: the run in {folder} has ended: {ending.value}", err=True)
    result = replace(report(folder), ended_with=None if known is None else known.exit_status)
    print_report(result, ReportOptions(output=output))
    return result.exit_status


def _not_going_on(folder: Path) -> tuple[str, str]:
    return (
        f"the run in {folder} was interrupted, or goes on on another machine",
        f"`smbench resume {folder}` takes it up",
    )


def stop_command(folder: Path, *, at_once: bool) -> ExitCode:
    """Ask a run to end.

    Raises:
        ResultsError: it is no run, or cannot be reached.
        InvalidRunError: it was killed.
    """
    known = known_run(registry_place(), folder)
    said = ask_to_stop(known, at_once=at_once) if known is not None and known.is_alive else None
    if said is not None:
        typer.echo(f"smbench: {said}", err=True)
    elif known is not None and known.is_alive:
        typer.echo(f"smbench: the run in {folder} has ended and is being closed", err=True)
    elif read_manifest(folder).ending is Ending.RUNNING:
        raise InvalidRunError(*_not_going_on(folder))
    else:
        typer.echo(f"smbench: the run in {folder} has ended already", err=True)
    return ExitCode.OK
