"""The emulator's process while the run goes on: it says that it lives; one that is silent for a minute is ended."""

from collections.abc import Callable

import anyio

from smbench.processes.channel import Channel
from smbench.processes.child import Child
from smbench.processes.messages import Alive, Failed
from smbench.processes.workers import HANGS_S, SILENT_S

BEAT_S = 1.0


async def beat(channel: Channel) -> None:
    """Tell the parent that this process lives, until cancelled; from the loop that serves, so that a hang shows."""
    while True:
        channel.send(Alive())
        await anyio.sleep(BEAT_S)


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
