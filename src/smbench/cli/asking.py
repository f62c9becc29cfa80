"""Questions to a person, also amid an event loop: Ctrl-C and the end of the input mean no, at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer


def agreed(question: str) -> bool:
    """Whether a person says yes."""
    try:
        with _ctrl_c_raises():
            return typer.confirm(question, default=False, err=True)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(err=True)  # ends the line of the question
        return False


def typed(question: str) -> str:
    """What a person types; empty where they leave."""
    try:
        with _ctrl_c_raises():
            return str(typer.prompt(question, err=True))
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(err=True)
        return ""


@contextmanager
def _ctrl_c_raises() -> Iterator[None]:
    """An event loop keeps the first Ctrl-C for its next turn, which does not come while a person is asked."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
