"""What a child of a test does: says who it is, fails, or hangs."""

import os
import threading

from smbench.errors import UsageError
from smbench.processes.channel import Channel
from smbench.processes.messages import Preparing


def says_its_pid(channel: Channel, word: str) -> None:
    channel.send(Preparing(f"{word} {os.getpid()}"))


def fails(_channel: Channel) -> None:
    raise UsageError("it cannot")


def hangs(channel: Channel) -> None:
    channel.send(Preparing("hangs"))
    threading.Event().wait()
