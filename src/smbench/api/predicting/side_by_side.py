"""Many predictions on every core: processes that foresee policies, where there are enough to be worth their start."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from smbench.clock import real_ns
from smbench.errors import ExitCode, SmbenchError
from smbench.prediction.sweep import Foresee, Note, Question, one_by_one
from smbench.processes.child import no_main_module
from smbench.scenario.emulated import Emulated

_WORTH_IT_FROM_S = 8.0  # of foreseeing one after the other: a process takes one or two seconds to start
_TASKS_A_PROCESS = 12  # of each replication, so that no core waits long for the last
_PROCESSES_MAX = 16

_MEMORY = "if memory is short, ask for fewer replications or use a machine with more"

_foresee: Foresee | None = None  # of a process that was started here


class PredictionKilledError(SmbenchError):
    """A process that predicted was ended by the system."""

    exit_code = ExitCode.MACHINE


@contextmanager
def side_by_side(question: Question) -> Iterator[Foresee]:
    """Foresee in this process at first, and on every core where that would take long; its processes end with it."""
    pool = _Pool(question, min(len(_cores()), _PROCESSES_MAX))
    try:
        yield pool.foresee
    finally:
        pool.close()


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


class _Pool:
    def __init__(self, question: Question, n: int) -> None:
        self._question, self._n = question, n
        self._alone = one_by_one(question)
        self.executor: ProcessPoolExecutor | None = None
        self._taken_s: list[float] = []

    def foresee(self, number: int, endpoints: Sequence[Emulated]) -> Iterator[Note]:
        left = list(endpoints)
        while left and self.executor is None:
            since_ns = real_ns()
            (note,) = self._alone(number, [left.pop(0)])
            self._taken_s.append((real_ns() - since_ns) / 1e9)
            yield note
            # The first one may compile, so the quickest counts; most policies have but one replication.
            if self._n > 1 and len(self._taken_s) > 1 and min(self._taken_s) * len(left) > _WORTH_IT_FROM_S:
                self._start()
        if not left or self.executor is None:
            return
        size = -(-len(left) // (self._n * _TASKS_A_PROCESS))
        tasks = [left[place : place + size] for place in range(0, len(left), size)]
        with no_main_module():  # the first task starts the processes
            futures: list[Future[list[Note]]] = [self.executor.submit(_task, number, task) for task in tasks]
        try:
            for future in futures:
                yield from future.result()
        except BrokenProcessPool as error:
            raise PredictionKilledError("a process that predicted policies was killed", _MEMORY) from error

    def _start(self) -> None:
        context: Any = multiprocessing.get_context("spawn")
        self.executor = ProcessPoolExecutor(self._n, context, _begin, (self._question,))

    def close(self) -> None:
        if self.executor is not None:
            self.executor.shutdown(cancel_futures=True)


def _begin(question: Question) -> None:
    """In a new process: Ctrl-C is its parent's, and it ends when that does."""
    global _foresee  # what a task of the executor finds again
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _foresee = one_by_one(question)


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _task(number: int, endpoints: list[Emulated]) -> list[Note]:
    assert _foresee is not None
    return list(_foresee(number, endpoints))
