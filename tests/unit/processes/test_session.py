"""Goal: what a run sends is what its parent knows of: when it is due, and that nobody else sends it.

Method: a session with one child in memory, a wall clock that stands still, and a claim made by hand.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from smbench.aws.setup.claim import Holder
from smbench.errors import DiskError
from smbench.generator.plan import make_plan
from smbench.generator.runner import Runner
from smbench.generator.shares import Share
from smbench.generator.taking_up import TakingUp
from smbench.processes import session
from smbench.processes.child import Child
from smbench.processes.interrupts import Interrupts
from smbench.processes.messages import Acknowledged, Announce, Message, Ready, Stop
from smbench.processes.session import SessionEnd
from smbench.records import Ending, NotSent
from smbench.results.store import open_run
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
    child, end = Heard(), SessionEnd(epoch_ns=EPOCH_NS)
    begun = session_of(tmp_path, child, end)
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


class Taken:
    """A claim that a copy of the folder has taken, once somebody waits for it."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.known: list[Any] = []

    async def lost(self, known: Any) -> Holder:
        self.known.append(known)
        return self.holder


def session_of(folder: Path, child: Child, end: SessionEnd) -> Any:
    plan = make_plan(Scenario.model_validate({"name": "rest", "target": {"endpoint": "mine"}, "load": LOAD}), folder)
    return session.Session(
        plan, AwsAccess(), [Share("smb-1")], folder, Screen(), Interrupts(), lambda _end: None, [child], None, end
    )


def test_a_run_whose_copy_was_continued_elsewhere_sends_no_more_and_ends_as_failed_with_the_name_of_who_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Taken(Holder("another", "/copy on elsewhere", "2026-11-30T12:00:00+00:00"))

    class Target:
        @asynccontextmanager
        async def claim(self, run_id: str, _found: object) -> AsyncIterator[Taken]:
            assert run_id == "smb-1"
            yield claim

    monkeypatch.setattr(session, "target_of", lambda _plan, _access: Target())
    child, end = Heard(), SessionEnd(epoch_ns=EPOCH_NS)
    begun = session_of(tmp_path, child, end)
    begun.claims = ("own",)
    anyio.run(begun._watch_claim)
    assert claim.known[-1] == ("own",)
    (stop,) = child.messages
    assert isinstance(stop, Stop)
    assert stop.why is NotSent.STOPPED
    assert end.ending is Ending.FAILED
    assert end.reason == stop.reason
    assert "2026-11-30T12:00:00+00:00 by /copy on elsewhere" in end.reason
    assert begun._stopped_early() is not None  # a later Ctrl-C ends it at once: it is stopping already


def test_a_run_on_a_target_that_keeps_nothing_in_aws_watches_no_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Target:
        @asynccontextmanager
        async def claim(self, _run_id: str, _found: object) -> AsyncIterator[None]:
            yield None

    monkeypatch.setattr(session, "target_of", lambda _plan, _access: Target())
    child, end = Heard(), SessionEnd(epoch_ns=EPOCH_NS)
    anyio.run(session_of(tmp_path, child, end)._watch_claim)
    assert (child.messages, end.ending) == ([], Ending.FINISHED)


def test_an_end_says_when_rows_of_a_lost_worker_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_what: object) -> int:
        raise DiskError("cannot write: No space left on device")

    monkeypatch.setattr(session, "settle_rows", full)
    end = SessionEnd(epoch_ns=EPOCH_NS, is_begun=True)
    begun = session_of(tmp_path, Heard(), end)
    begun.crew.ready[0] = Ready({}, {"queue": "q"})
    (note,) = anyio.run(begun.tidied_up)
    assert note == "rows of worker 0 may be missing: cannot write: No space left on device"
    assert (end.lacks_rows, end.held) == (True, {"0": {"queue": "q"}})


def test_where_the_parent_failed_first_the_queues_of_its_workers_stay_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they stay in AWS, and the manifest, and so `resume` and `clean`, know of none."""
    monkeypatch.setattr(session, "settle_rows", lambda *_what: 3)
    end = SessionEnd(epoch_ns=EPOCH_NS, is_begun=True)
    begun = session_of(tmp_path, Heard(), end)
    begun.crew.ready[0] = Ready({}, {"queue": "q"})
    (note,) = anyio.run(begun.tidied_up)
    assert note == "worker 0 was lost: whether 3 of its requests were sent is not known"
    assert end.held == {"0": {"queue": "q"}}


@pytest.mark.slow
def test_of_a_worker_in_warp_time_that_failed_it_is_known_which_requests_it_had_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_runner: Runner) -> None:
        raise MemoryError

    monkeypatch.setattr(Runner, "run", fails)
    plan = make_plan(
        Scenario.model_validate({"name": "warp", "target": {"emulated": {"time": "warp"}}, "load": LOAD}), tmp_path
    )
    end = anyio.run(
        session.run_session, plan, AwsAccess(), 1, tmp_path, "smb-0", Screen(), Interrupts(), lambda _end: None
    )
    assert (end.ending, end.notes) == (Ending.FAILED, [])
    rows = open_run(tmp_path).requests.collect()
    assert rows["why_not_sent"].to_list() == [NotSent.RUN_ENDED.value] * 20


class Screen:
    """A view that shows nothing."""

    def preparing(self, _text: str) -> None: ...
    def refresh(self) -> None: ...
    def update(self, _snapshots: Any) -> str:
        return ""

    def read(self, _readings: Any, _events: Any) -> None: ...
