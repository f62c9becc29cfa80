"""Goal: no request to end a run is lost, from a signal or another thread, and the handlers of before return.

Method: signals that the test sends to its own process.
"""

import os
import signal
import subprocess
import sys
import threading

import anyio
import pytest

from smbench.processes.interrupts import Interrupts


async def test_a_signal_wakes_the_loop_that_waits_for_it() -> None:
    interrupts = Interrupts()
    with interrupts.from_signals(), anyio.fail_after(5):
        os.kill(os.getpid(), signal.SIGINT)
        assert await interrupts.wait(1) == "SIGINT"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await interrupts.wait(2) == "SIGTERM"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_no_loop_runs_is_kept_and_the_handlers_of_before_return(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    interrupts = Interrupts()
    with interrupts.from_signals():
        os.kill(os.getpid(), number)
    assert interrupts.names == [number.name]
    assert signal.getsignal(number) is before
    assert anyio.run(interrupts.wait, 1) == number.name


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupts = Interrupts()
        with interrupts.from_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert interrupts.names == []
    finally:
        signal.signal(signal.SIGHUP, before)


TABLES = """
import os, signal, sys, threading, time
{first}
from smbench.processes.interrupts import Interrupts
interrupts, ended, raised = Interrupts(), threading.Event(), []
def work():
    import polars as pl
    table = pl.LazyFrame({{"a": range(500_000)}})
    while not ended.is_set():
        try:
            table.filter(pl.col("a") % 7 == 3).select(pl.col("a").sort().sum()).collect()
        except BaseException as error:
            raised.append(type(error).__name__)
with interrupts.from_signals():
    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(20):
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
    ended.set()
    thread.join()
print(raised, len(interrupts.names))
"""


@pytest.mark.slow  # an interpreter that has not imported polars yet
@pytest.mark.parametrize(
    ("first", "taken"), [("", 20), ("signal.signal(signal.SIGINT, signal.SIG_IGN)", 0)], ids=["taken", "ignored"]
)
def test_an_interrupt_ends_no_thread_that_is_inside_polars(first: str, taken: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TABLES.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ran.stdout.split() == ["[]", str(taken)]


async def test_another_thread_may_ask() -> None:
    interrupts = Interrupts()
    thread = threading.Timer(0.02, interrupts.give, ["the notebook"])
    thread.start()
    with anyio.fail_after(5):
        assert await interrupts.wait(1) == "the notebook"
    thread.join()


def test_in_another_thread_no_signal_is_taken() -> None:
    interrupts = Interrupts()
    handlers = []

    def enter() -> None:
        with interrupts.from_signals():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
