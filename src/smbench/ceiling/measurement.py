"""This machine's ceiling: the highest planned rate that one worker keeps against a target that does nothing."""

from collections.abc import Callable, Iterable

from smbench.ceiling.null_target import null_target_main
from smbench.ceiling.search import Search
from smbench.ceiling.trials import trials_main
from smbench.errors import SmbenchError
from smbench.processes.child import Child, start_child
from smbench.processes.messages import Done, Failed, Message, Ready, Tried
from smbench.results.ceiling import Trial

TRIAL_S = 2.5  # long enough for one write of the journal within; a lag of 0.1 s then shows a rate 4 % too high


async def measure_ceiling(
    transport: str, on_trial: Callable[[Trial], None], *, search: Search, trial_s: float = TRIAL_S
) -> list[Trial]:
    """All trials, in the order in which they were made; `on_trial` is called with each.

    Args:
        transport: wire or sdk.

    Raises:
        SmbenchError: one of the two processes came to a bad end.
    """
    target = start_child("null target", null_target_main)
    try:
        ready = await _heard(target)
        assert isinstance(ready, Ready)
        worker = start_child("worker", trials_main, ready.url, transport, search, trial_s)
        try:
            return await _follow(worker, target, on_trial)
        finally:
            worker.leave()
    finally:
        target.leave()


def highest_kept_hz(trials: Iterable[Trial]) -> float | None:
    """The ceiling that trials show; None where nothing was kept."""
    return max((trial.planned_hz for trial in trials if trial.is_kept), default=None)


async def _follow(worker: Child, target: Child, on_trial: Callable[[Trial], None]) -> list[Trial]:
    trials: list[Trial] = []
    while not isinstance(message := await _heard(worker), Done):
        assert isinstance(message, Tried)
        if not target.process.is_alive():
            raise SmbenchError(target.how_it_ended())
        trials.append(message.trial)
        on_trial(message.trial)
    return trials


async def _heard(child: Child) -> Message:
    message = await child.receive()
    if message is None:
        raise SmbenchError(child.how_it_ended())
    if isinstance(message, Failed):
        error = message.error()
        error.advice = message.traceback or message.advice
        raise error
    return message
