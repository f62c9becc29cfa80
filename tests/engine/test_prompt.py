"""A request that is submitted without a task obeys the same rules as one that has a task.

Method: virtual time on asyncio and on trio, against an endpoint that takes every second submission at once and refuses
what we say.
"""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.abc
import numpy as np
import pytest

from doubles import FakeEndpoint, invocation_of, ledger, span
from smbench.clock import LoopClock
from smbench.generator.control import Control
from smbench.generator.engine import Engine, Load
from smbench.generator.tracking.ledger import State
from smbench.generator.tracking.tracker import Tracker
from smbench.records import Accepted, Answer, Event, Invocation, NotSent, Rejected, Unacknowledged
from smbench.scenario.model import Limits
from smbench.scenario.values.request import Retry

SECOND = 1_000_000_000
DUE_NS = [n * SECOND for n in range(21)]  # the last is submitted at once


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


class PromptEndpoint(FakeEndpoint):
    """Takes every second submission at once; the others must wait for a connection, and have a task."""

    def __init__(self, clock: LoopClock, tasks: anyio.abc.TaskGroup, **own: Any) -> None:
        super().__init__(clock, **own)
        self.tasks, self.n_asked, self.n_prompt = tasks, 0, 0

    def promptly(
        self, leaving: Callable[[int], Invocation], ended: Callable[[int, Answer], None]
    ) -> Callable[[int], bool]:
        def submit(row: int) -> bool:
            self.n_asked += 1
            if self.n_asked % 2 == 0:
                return False
            self.n_prompt += 1
            self.tasks.start_soon(self._answer, row, leaving(row), ended)
            return True

        return submit

    async def _answer(self, row: int, invocation: Invocation, ended: Callable[[int, Answer], None]) -> None:
        answer: Answer
        try:
            answer = await self.submit(invocation)
        except (Rejected, Unacknowledged) as refusal:
            answer = refusal
        ended(row, answer)


def engine_of(endpoint: PromptEndpoint, clock: LoopClock, **own: Any) -> Engine:
    rows = ledger(DUE_NS)
    settings = {"limits": Limits(in_flight=100), "retry": Retry(), **own}
    load = Load((span(rows.n),), invocation_of(rows), jitter=np.random.default_rng(0), patience_s=600, **settings)
    return Engine(load, Tracker(rows), endpoint, clock, Control())


async def test_all_are_sent_when_due_and_answered_before_it_returns() -> None:
    clock = LoopClock()
    async with anyio.create_task_group() as tasks:
        endpoint = PromptEndpoint(clock, tasks, ack_s=30.0)
        engine = engine_of(endpoint, clock)
        await engine.submit_all()
        tracker = engine.tracker
        assert (endpoint.n_prompt, tracker.counts[State.WAITING]) == (11, 21)
    assert [at_ns for at_ns, _ in endpoint.submitted] == DUE_NS
    assert list(tracker.ledger.send_ns) == DUE_NS
    assert set(tracker.ledger.attempts) == {1}
    assert tracker.violations() == []


async def test_what_is_refused_is_tried_again_and_holds_its_place_meanwhile() -> None:
    clock = LoopClock()
    throttle = Rejected(400, "ThrottlingException")
    async with anyio.create_task_group() as tasks:
        endpoint = PromptEndpoint(clock, tasks, verdict=lambda n: throttle if n == 0 else None)
        retry = Retry.model_validate({"attempts": 3, "on": ["throttle"], "backoff": "500ms"})
        told: list[Event] = []
        engine = engine_of(endpoint, clock, retry=retry, refused=told.append)
        await engine.submit_all()
    tracker = engine.tracker
    assert tracker.ledger.attempts[0] == 2
    (refusal,) = told
    assert refusal.end_ns is not None
    assert refusal.end_ns > 0
    assert (refusal.end_ns, endpoint.submitted[0][1]) in endpoint.submitted, "it is tried again when it was said to be"
    assert tracker.counts[State.WAITING] == 21
    assert endpoint.submitted[0][1] in {inference_id for _, inference_id in endpoint.submitted[1:3]}


async def test_a_stop_in_the_pause_after_a_prompt_try_makes_the_refusal_the_answer() -> None:
    clock = LoopClock()
    async with anyio.create_task_group() as tasks:
        endpoint = PromptEndpoint(clock, tasks, verdict=lambda _n: Rejected(400, "ThrottlingException"))
        engine = engine_of(endpoint, clock, retry=Retry(attempts=3, backoff=1000.0))
        tasks.start_soon(engine.submit_all)
        await clock.sleep_until_ns(5 * SECOND // 2)
        engine.control.stop(NotSent.STOPPED, "asked to")
    tracker = engine.tracker
    assert len(endpoint.submitted) == tracker.counts[State.REJECTED] == 3
    assert tracker.counts[State.IN_FLIGHT] == 0


async def test_an_answer_after_the_run_was_cancelled_changes_nothing() -> None:
    clock = LoopClock()
    async with anyio.create_task_group() as tasks:
        endpoint = PromptEndpoint(clock, tasks, ack_s=60.0)
        engine = engine_of(endpoint, clock)
        with anyio.move_on_after(5.5):
            await engine.submit_all()
        before = bytes(engine.tracker.ledger.state)
        await clock.sleep_until_ns(100 * SECOND)
    assert bytes(engine.tracker.ledger.state) == before
    assert engine.tracker.counts[State.IN_FLIGHT] == 6


async def test_an_error_of_ours_in_an_answer_ends_the_run() -> None:
    clock = LoopClock()
    async with anyio.create_task_group() as tasks:
        endpoint = PromptEndpoint(clock, tasks)
        engine = engine_of(endpoint, clock)

        def wrong(index: int, ack_ns: int, answer: Accepted) -> None:
            raise AssertionError(f"row {index} does not add up at {ack_ns} with {answer}")

        engine.tracker.accepted = wrong  # type: ignore[method-assign]
        with pytest.RaisesGroup(pytest.RaisesExc(AssertionError, match="add up"), flatten_subgroups=True):
            await engine.submit_all()
