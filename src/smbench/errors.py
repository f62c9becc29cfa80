"""All errors of a command by whose fault they are: every way in which a command may end other than well.

A failed request is not an error here, it is a record (`records.Outcome`). These classes end a command.
"""

import signal
from dataclasses import dataclass
from enum import IntEnum

PROBLEMS_SHOWN = 100  # of one scenario


class ExitCode(IntEnum):
    """The process's exit status; CI must distinguish "the system is slow" from "the tester is wrong"."""

    OK = 0
    MACHINE = 1  # this machine cannot: stdout takes nothing, or memory is short
    USAGE = 2  # the scenario or the command line is wrong
    TARGET = 3  # the target or the order cannot be used; found before anything is spent
    BUG = 70  # ours
    DISK = 74  # a run that had begun could not be written down any further
    INVALID = 98  # the run cannot answer: the generator was the bottleneck, or the run was cut short
    THRESHOLD = 99  # the run is valid and the endpoint missed a threshold
    INTERRUPTED = 130


def signal_name(number: int) -> str:
    """`SIGKILL`; of a real-time signal without a name its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class SmbenchError(Exception):
    """An error a user reads as one or more sentences, never as a traceback.

    Args:
        message: What is wrong, as a fact.
        advice: What to do about it; empty when the message already says so.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message, self.advice = message, advice


def out_of_groups(error: BaseException) -> BaseException:
    """What ended a task group, which wraps whatever ends it; of several the first that is no `SmbenchError`: a bug
    must be seen."""
    while isinstance(error, BaseExceptionGroup):
        _, others = error.split(SmbenchError)
        error = (others or error).exceptions[0]
    return error


class UsageError(SmbenchError):
    """The command line is wrong: the caller's fault, nothing was started."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a scenario file. `line` and `column` count from 1; 0 means the place is unknown."""

    where: str  # dotted path in the file, "load.1.poisson.rate"
    message: str
    line: int = 0
    column: int = 0
    value: str = ""  # as written, shortened; empty when a key is missing
    meant: str = ""  # the nearest known key or value; empty when nothing is near


class ScenarioError(SmbenchError):
    """The scenario file is wrong: all problems at once, in the file's order.

    Args:
        n_more: How many there are that are not in `problems`.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, file: str, problems: list[Problem], n_more: int = 0) -> None:
        self.file, self.problems = file, problems
        n_more += max(0, len(problems) - PROBLEMS_SHOWN)
        lines = [self._line(problem) for problem in problems[:PROBLEMS_SHOWN]]
        more = [f"{file}: and {n_more:,} more problem{'' if n_more == 1 else 's'}"] if n_more else []
        super().__init__("\n".join([*lines, *more]))

    def _line(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}:{problem.column}" if problem.line else self.file
        value = f" (got {problem.value})" if problem.value else ""
        meant = f"; did you mean '{problem.meant}'?" if problem.meant else ""
        where = f" {problem.where}:" if problem.where else ""
        return f"{place}:{where} {problem.message}{value}{meant}"


class TargetError(SmbenchError):
    """The endpoint, its queue, its topics or the credentials cannot be used; nothing was sent."""

    exit_code = ExitCode.TARGET


class OrderError(SmbenchError):
    """The order of a run that is shared by machines cannot be carried out here; this shard sent nothing."""

    exit_code = ExitCode.TARGET


class ResultsError(SmbenchError):
    """A results folder cannot be read or written: not a run, cut short, of a later schema, disk full."""

    exit_code = ExitCode.USAGE


class DiskError(ResultsError):
    """What a run does can no longer be written down: the disk is full, or the folder is not there any more."""

    exit_code = ExitCode.DISK


class InvalidRunError(SmbenchError):
    """A run that does not measure what it says was given to a command that needs one that does."""

    exit_code = ExitCode.INVALID


class NotBegunError(SmbenchError):
    """A person did not agree, or ended the command before it was done; no request was sent."""

    exit_code = ExitCode.INTERRUPTED
