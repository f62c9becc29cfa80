"""Goal: SIGTERM and SIGHUP end a command as Ctrl-C does, whoever takes Ctrl-C at that moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import anyio
import pytest

from smbench.__main__ import _GIVE_BACK, _take_other_signals

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in TAKEN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ctrl_c", [signal.default_int_handler, signal.SIG_IGN], ids=["terminal", "background"])
def test_each_signal_ends_a_command_at_its_prompt_and_amid_its_loop(number: signal.Signals, ctrl_c: object) -> None:
    signal.signal(signal.SIGINT, ctrl_c)  # type: ignore[arg-type]
    _take_other_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    closed: list[bool] = []

    async def at_work() -> None:
        try:
            signal.raise_signal(number)
            await anyio.sleep(20)
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        anyio.run(at_work)
    assert closed == [True]


def test_a_command_that_takes_ctrl_c_by_itself_is_given_the_others() -> None:
    _take_other_signals()
    given: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: given.append(number))
    signal.raise_signal(signal.SIGTERM)
    assert given == [signal.SIGINT]


def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _take_other_signals()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_polars_keeps_of_memory_is_set_before_it_is_loaded() -> None:
    program = (
        "import os, sys, smbench.__main__ as entry\n"
        "entry.status_of_command = lambda: print('polars' in sys.modules, os.environ['_RJEM_MALLOC_CONF'])\n"
        "entry.main()"
    )
    own = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    said = subprocess.run([sys.executable, "-c", program], env=own, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["False", _GIVE_BACK], said.stderr
