"""The emulator's process as the parent has it: started, listened to while the run goes on, and asked for its truth."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from smbench.clock import TimeKind
from smbench.errors import TargetError
from smbench.generator.plan import RunPlan
from smbench.processes.child import Child, StartChild, emulator_main
from smbench.processes.messages import Alive, Done, Failed, Finish, Ready, Workplace
from smbench.processes.workers import HANGS_S, SILENT_S


@asynccontextmanager
async def emulator_child(
    plan: RunPlan, workplace: Workplace, epoch_ns: int, patience_s: Callable[[], float], start: StartChild
) -> AsyncIterator[tuple[Child | None, str | None]]:
    """The process and its URL, where the run wants one; in warp time it lives in the worker.

    Args:
        epoch_ns: UTC nanoseconds at scenario time zero.
        patience_s: How long it may take to leave, asked for at the end.

    Raises:
        SmbenchError: it did not start.
    """
    if not plan.is_emulated or plan.time_kind is TimeKind.WARP:
        yield None, None
        return
    scenario_json = plan.scenario.model_dump_json(by_alias=True)
    child = start("emulator", emulator_main, scenario_json, workplace, epoch_ns)
    try:
        message = await child.receive()
        if isinstance(message, Failed):
            raise message.error()
        if not isinstance(message, Ready):
            raise TargetError(f"the emulated endpoint did not start: {child.how_it_ended()}")
        yield child, message.url
    finally:
        child.leave(patience_s())


async def how_it_ended(emulator: Child, say: Callable[[str], None]) -> tuple[str, Failed | None]:
    """Return when the emulator has ended, with the reason and its own word of it, if any; ends it if it hangs.

    Args:
        say: Receives what a person should know meanwhile.
    """
    while True:
        message = None
        with anyio.move_on_after(SILENT_S) as short:
            message = await emulator.receive()
        if short.cancelled_caught:
            say(f"the emulator has said nothing for {SILENT_S:.0f} s: it hangs, or its machine is busy")
            with anyio.move_on_after(HANGS_S - SILENT_S) as long:
                message = await emulator.receive()
            if long.cancelled_caught:
                emulator.kill()
                return f"the emulator hung: it had said nothing for {HANGS_S:.0f} s, and was ended", None
            say("the emulator answers again")
        if isinstance(message, Failed):
            return message.message, message
        if not isinstance(message, Alive):
            return emulator.how_it_ended(), None


async def finished(emulator: Child, patience_s: float) -> Done | None:
    """Have it write its truth; None: it did not within its time."""
    emulator.tell(Finish())
    with anyio.move_on_after(patience_s):
        while isinstance(message := await emulator.receive(), Alive):
            continue
        if isinstance(message, Done):
            return message
    return None
