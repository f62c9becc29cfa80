"""Goal: what a continued run still sends is due when its target is ready, however long that took.

Method: a session with one child in memory and a wall clock that stands still.
"""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from smbench.generator.plan import make_plan
from smbench.generator.shares import Share
from smbench.generator.taking_up import TakingUp
from smbench.processes import session
from smbench.processes.child import Child
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import Acknowledged, Announce, Message
from smbench.processes.session import SessionEnd
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess

NOW_NS, EPOCH_NS, HEAD_START_NS = 1_800_000_000_000_000_000, 1_700_000_000_000_000_000, 1_000_000_000
LOAD = [{"constant": {"rate": "10/s", "for": "2s"}}]


class Heard(Child):
    """Acknowledges everything."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def tell(self, message: Message) -> None:
        self.messages.append(message)

    async def receive(self) -> Message | None:
        await anyio.lowlevel.checkpoint()
        return Acknowledged()


@pytest.mark.parametrize(
    ("taking_up", "due_ns"),
    [
        (TakingUp(1, 0, 0, sends=True, first_ns=7), NOW_NS),
        (TakingUp(1, 0, 0, sends=True, first_ns=2 * (NOW_NS - EPOCH_NS)), None),
        (TakingUp(1, 0, 0, sends=True), None),
        (TakingUp(1, 0, 0), None),
        (None, None),
    ],
    ids=["overdue", "not yet due", "nothing left", "only collects", "a new run"],
)
def test_the_first_request_of_a_continued_run_is_due_a_moment_after_its_target_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taking_up: TakingUp | None, due_ns: int | None
) -> None:
    monkeypatch.setattr(session, "wall_ns", lambda: NOW_NS)
    plan = make_plan(Scenario.model_validate({"name": "rest", "target": {"endpoint": "mine"}, "load": LOAD}), tmp_path)
    child, screen, end = Heard(), Screen(), SessionEnd(epoch_ns=EPOCH_NS)
    begun = session._Session(
        plan, AwsAccess(), [Share("smb-1")], tmp_path, screen, Interrupts(), lambda _end: None, [child], None, end
    )
    begun.taking_up = taking_up
    assert anyio.run(begun._announce) is None
    (announced,) = child.messages
    assert isinstance(announced, Announce)
    if due_ns is None:
        assert announced.later_ns == 0
    else:
        assert taking_up is not None
        assert taking_up.first_ns is not None
        first_ns = EPOCH_NS + taking_up.first_ns + announced.later_ns
        assert due_ns < first_ns < due_ns + HEAD_START_NS
        assert announced.epoch_ns == EPOCH_NS


class Screen:
    """A view that shows nothing."""

    def preparing(self, _text: str) -> None: ...
    def refresh(self) -> None: ...
    def update(self, _snapshots: Any) -> str:
        return ""

    def read(self, _readings: Any, _events: Any) -> None: ...
