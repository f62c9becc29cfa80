"""An invocation that was taken, until its end: what its caller asked for, and where its result goes."""

from dataclasses import dataclass

from smbench.emulator.message_faults import NoticeDelivery
from smbench.emulator.sagemaker.truth import Call


@dataclass(slots=True)
class PendingInvocation:
    """One invocation. The message of its end repeats what its caller asked; then only `call` is kept."""

    call: Call
    notice: NoticeDelivery
    output_key: str
    failure_key: str = ""
    failure_location: str | None = None
    input_location: str | None = None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
