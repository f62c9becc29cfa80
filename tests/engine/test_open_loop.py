"""The engine keeps its schedule whatever the endpoint does.

Method: virtual time on asyncio and on trio, against an endpoint whose answers we delay, refuse or lose; and a clock
that wakes late, because a perfect clock cannot show that lateness is reported.
"""

from dataclasses import replace
from typing import Any

import anyio
import numpy as np
import pytest

from doubles import FakeEndpoint, invocation_of, ledger, span
from smbench.clock import LoopClock
from smbench.generator.control import Control
from smbench.generator.engine import Engine, Load
from smbench.generator.tracking.ledger import WHY_NOT_SENT, State
from smbench.generator.tracking.tracker import Tracker
from smbench.ports import Transport
from smbench.records import Answered, Event, Invocation, NotSent, Outcome, Rejected, Unacknowledged
from smbench.scenario.model import Limits
from smbench.scenario.values.request import Retry

SECOND = 1_000_000_000
MINUTES_5 = [n * SECOND for n in range(300)]


@pytest.fixture
def anyio_backend(virtual_time: Any) -> Any:
    return virtual_time


def make(
    sched_ns: list[int],
    clock: LoopClock,
    endpoint: Transport,
    *,
    limits: Limits | None = None,
    retry: Retry | None = None,
    outstanding: int | None = None,
    end_ns: int | None = None,
) -> tuple[Engine, Tracker, Control]:
    rows = ledger(sched_ns)
    tracker, control = Tracker(rows), Control()
    load = Load(
        (span(rows.n, end_ns=end_ns, outstanding=outstanding),),
        invocation_of(rows),
        limits or Limits(in_flight=100_000),
        retry or Retry(),
        np.random.default_rng(0),
        patience_s=600,
    )
    return Engine(load, tracker, endpoint, clock, control), tracker, control


def why_not_sent(tracker: Tracker) -> set[NotSent]:
    """Of all rows that were not."""
    ledger = tracker.ledger
    return {WHY_NOT_SENT[ledger.why_not_sent[index] - 1] for index in ledger.in_state(State.NOT_SENT)}


@pytest.mark.slow
@pytest.mark.parametrize("ack_s", [0.001, 1.0, 600.0])
async def test_a_slow_endpoint_never_moves_the_schedule(ack_s: float) -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=ack_s)
    engine, tracker, _ = make(MINUTES_5, clock, endpoint)
    await engine.submit_all()
    assert [at_ns for at_ns, _ in endpoint.submitted] == MINUTES_5
    assert list(tracker.ledger.send_ns) == MINUTES_5


async def test_a_loop_that_wakes_late_is_late_once_each_time_and_says_so() -> None:
    clock = LoopClock(late_ns=3_000_000)
    endpoint = FakeEndpoint(clock)
    engine, tracker, _ = make(MINUTES_5, clock, endpoint)
    await engine.submit_all()
    lags_ns = np.asarray(tracker.ledger.send_ns) - np.asarray(MINUTES_5)
    # The first is due at once; every later one waits for the clock, which is 3 ms late, each time anew: no drift.
    assert set(lags_ns[1:].tolist()) == {3_000_000}
    assert tracker.schedule_lag.quantile(0.5) == pytest.approx(0.003, rel=0.02)


def reason_of(tracker: Tracker, row: int) -> NotSent:
    return WHY_NOT_SENT[tracker.ledger.why_not_sent[row] - 1]


async def test_at_its_own_limit_the_client_drops_and_counts_it_never_waits() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=9.5)
    engine, tracker, _ = make([n * SECOND for n in range(20)], clock, endpoint, limits=Limits(in_flight=5))
    await engine.submit_all()
    # Answers take 9.5 s, one arrival a second, five places: 0-4 go, 5-9 drop, 10-14 go, 15-19 drop.
    assert [at_ns // SECOND for at_ns, _ in endpoint.submitted] == [*range(5), *range(10, 15)]
    assert endpoint.in_flight_max == 5
    assert tracker.counts[State.NOT_SENT] == 10
    assert reason_of(tracker, 5) is NotSent.IN_FLIGHT_LIMIT
    assert tracker.n_dropped == 10
    assert tracker.violations() == []


class ClockThatGoesOn(LoopClock):
    """No instant of it is waited out, as in real time."""

    async def settle(self) -> None:
        pass


@pytest.mark.slow
async def test_behind_schedule_answers_still_get_their_turn() -> None:
    clock = ClockThatGoesOn(late_ns=1_000_000)
    endpoint = FakeEndpoint(clock, ack_s=0.0)
    engine, tracker, _ = make([SECOND] * 1000, clock, endpoint, limits=Limits(in_flight=200))
    await engine.submit_all()
    # All are due at once; were the loop never to yield, 800 would find no place.
    assert tracker.counts[State.NOT_SENT] == 0


@pytest.mark.parametrize("outstanding", [None, 8])
async def test_in_warp_time_an_answer_that_takes_no_time_has_left_room_at_the_limit(outstanding: int | None) -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=0.0, verdict=lambda _n: Rejected(400, "ThrottlingException", ""))
    due_ns = -1 if outstanding else 0
    engine, tracker, _ = make([due_ns] * 500, clock, endpoint, limits=Limits(in_flight=5), outstanding=outstanding)
    await engine.submit_all()
    assert tracker.counts[State.NOT_SENT] == 0
    assert len(endpoint.submitted) == 500


async def test_after_a_stop_nothing_is_sent_and_what_is_in_flight_is_answered() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=30.0)
    engine, tracker, control = make(MINUTES_5, clock, endpoint)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.submit_all)
        await clock.sleep_until_ns(100 * SECOND + 1)
        control.stop(NotSent.STOPPED, "asked to")
    assert [at_ns for at_ns, _ in endpoint.submitted] == MINUTES_5[:101]
    assert tracker.counts[State.WAITING] == 101
    assert tracker.counts[State.NOT_SENT] == 199
    assert reason_of(tracker, 101) is NotSent.STOPPED
    assert tracker.ledger.words[tracker.ledger.error[101]] == "asked to"


async def test_a_stop_in_the_middle_of_a_burst_holds_for_those_not_begun() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock)
    engine, tracker, control = make([0] * 10, clock, endpoint)
    endpoint.verdict = lambda n: control.stop(NotSent.STOPPED, f"after {n}")
    await engine.submit_all()
    assert len(endpoint.submitted) == 1
    assert tracker.counts[State.NOT_SENT] == 9


async def test_the_request_limit_sends_exactly_that_many_even_in_a_burst() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock)
    engine, tracker, _ = make([0] * 100, clock, endpoint, limits=Limits(requests=37))
    await engine.submit_all()
    assert len(endpoint.submitted) == 37
    assert tracker.counts[State.NOT_SENT] == 63
    assert why_not_sent(tracker) == {NotSent.REQUEST_LIMIT}


async def test_the_time_limit_ends_the_sending_at_that_instant() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock)
    engine, tracker, control = make(MINUTES_5, clock, endpoint, limits=Limits(time=60.5))
    await engine.submit_all()
    assert len(endpoint.submitted) == 61
    assert control.why_not_sent is NotSent.TIME_LIMIT
    assert tracker.counts[State.NOT_SENT] == 239


async def test_the_error_limit_stops_when_the_share_is_passed_and_not_before_enough_answers() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(
        clock, ack_s=0.01, verdict=lambda n: Rejected(400, "ThrottlingException") if n >= 30 else None
    )
    limits = Limits(errors=0.1, errors_after=50)
    engine, tracker, control = make(MINUTES_5, clock, endpoint, limits=limits)
    await engine.submit_all()
    # 30 good ones, then every answer is an error: at the 50th answer 20 of 50 is above a tenth.
    assert len(endpoint.submitted) == 50
    assert control.stop_reason == "error limit: 20 of 50 answers were errors"
    assert tracker.counts[State.REJECTED] == 20


class Answering:
    """A synchronous endpoint: each call takes a second, and every other one ends in the container's error."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock, self.submitted_ns = clock, list[int]()

    async def submit(self, invocation: Invocation) -> Answered:
        number = len(self.submitted_ns)
        self.submitted_ns.append(self.clock.now_ns())
        await self.clock.sleep_until_ns(self.clock.now_ns() + SECOND)
        if number % 2:
            return Answered(Outcome.FAILED, 424, "ModelError 500: no")
        return Answered()


async def test_errors_of_the_container_count_for_the_error_limit_where_the_call_brings_them() -> None:
    clock = LoopClock()
    endpoint = Answering(clock)
    engine, tracker, control = make(MINUTES_5, clock, endpoint, limits=Limits(errors=0.4, errors_after=20))
    await engine.submit_all()
    assert control.stop_reason == "error limit: 10 of 20 answers were errors"
    assert tracker.counts[State.COMPLETED] == 10
    assert tracker.n_bad_answers == tracker.counts[State.FAILED] == 10
    assert Tracker(tracker.ledger).n_bad_answers == 10  # after a break, too


async def test_an_error_of_the_container_is_never_tried_again() -> None:
    clock = LoopClock()
    endpoint = Answering(clock)
    retry = Retry(attempts=5, on=("throttle", "server_error", "transport_error"))
    engine, tracker, _ = make([0, 0], clock, endpoint, retry=retry)
    await engine.submit_all()
    assert len(endpoint.submitted_ns) == 2
    assert (tracker.counts[State.COMPLETED], tracker.counts[State.FAILED]) == (1, 1)


async def test_a_retry_is_an_attempt_of_the_same_request_and_is_counted() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, verdict=lambda n: Rejected(400, "ThrottlingException") if n < 2 else None)
    retry = Retry(attempts=3, backoff=1.0)
    engine, tracker, _ = make([0], clock, endpoint, retry=retry)
    await engine.submit_all()
    assert {inference_id for _, inference_id in endpoint.submitted} == {"smb-test-0-0"}
    assert tracker.ledger.attempts[0] == 3
    assert tracker.n_sent == 1
    assert tracker.counts[State.WAITING] == 1
    assert tracker.ledger.send_ns[0] == 0  # lateness is judged by the first attempt


async def test_each_refused_try_that_is_tried_again_is_told_with_its_instants() -> None:
    clock = LoopClock()
    bad = [Rejected(400, "ThrottlingException"), Unacknowledged("connection reset"), Rejected(500, "InternalFailure")]
    endpoint = FakeEndpoint(clock, ack_s=1.0, verdict=lambda n: bad[n])
    retry = Retry(attempts=3, backoff=4.0, on=("throttle", "transport_error"))
    engine, _, _ = make([0], clock, endpoint, retry=retry)
    events = list[Event]()
    engine.load = replace(engine.load, refused=events.append)
    await engine.submit_all()
    first, second = events  # the third answer is the request's
    assert [(one.kind, one.name, one.state, one.cause) for one in events] == [
        ("retry", "smb-test-0-0", "throttled", "ThrottlingException"),
        ("retry", "smb-test-0-0", "unanswered", "connection reset"),
    ]
    assert (first.at_ns, first.seen_ns) == (0, SECOND)
    assert second.at_ns == first.end_ns
    assert [one.detail for one in events] == [{"attempt": 1}, {"attempt": 2}]
    assert [at_ns for at_ns, _ in endpoint.submitted] == [0, first.end_ns, second.end_ns]


async def test_a_stop_in_the_pause_before_a_second_try_makes_the_refusal_the_answer() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, verdict=lambda _n: Rejected(400, "ThrottlingException"))
    engine, tracker, control = make([0, 0, 0], clock, endpoint, retry=Retry(attempts=9, backoff=1000.0))
    events = list[Event]()
    engine.load = replace(engine.load, refused=events.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.submit_all)
        await clock.sleep_until_ns(SECOND)
        control.stop(NotSent.STOPPED, "asked to")
    assert (len(endpoint.submitted), events, list(tracker.ledger.attempts)) == (3, [], [1, 1, 1])
    assert tracker.counts[State.REJECTED] == 3
    assert set(tracker.ledger.ack_ns) == {SECOND // 100}  # when it was refused


async def test_a_run_that_is_cancelled_in_the_pause_before_a_second_try_keeps_the_refusal() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, verdict=lambda _: Rejected(400, "ThrottlingException"))
    engine, tracker, _ = make([0], clock, endpoint, retry=Retry(attempts=9, backoff=1000.0))
    with anyio.move_on_after(1):
        await engine.submit_all()
    tracker.close(SECOND, 3600 * SECOND)
    assert tracker.counts[State.REJECTED] == 1
    assert tracker.ledger.ack_ns[0] == SECOND // 100  # when it was refused
    assert tracker.violations() == []


async def test_a_lost_answer_is_not_retried_unless_asked_for() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, verdict=lambda _n: Unacknowledged("connection reset"))
    engine, tracker, _ = make([0], clock, endpoint, retry=Retry(attempts=5))
    await engine.submit_all()
    assert len(endpoint.submitted) == 1
    assert tracker.counts[State.TRANSPORT_ERROR] == 1


async def test_a_closed_loop_keeps_exactly_n_outstanding_and_each_end_releases_the_next() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=0.0, service_s=10.0)
    engine, tracker, _ = make([-1] * 9, clock, endpoint, outstanding=3)

    async def hear() -> None:
        while True:
            for delivery in await endpoint.receive():
                tracker.noticed(delivery.content, clock.now_ns())  # type: ignore[arg-type]  # the fake sends notices only

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear)
        await engine.submit_all()
        tasks.cancel_scope.cancel()
    assert [at_ns // SECOND for at_ns, _ in endpoint.submitted] == [0, 0, 0, 10, 10, 10, 20, 20, 20]
    assert list(tracker.ledger.sched_ns) == [at_ns for at_ns, _ in endpoint.submitted]


async def test_a_user_joins_sends_waits_thinks_and_sends_again_until_the_phase_ends() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, ack_s=0.0, service_s=10.0)
    engine, tracker, _ = make([-1] * 9, clock, endpoint, outstanding=2, end_ns=60 * SECOND)
    (phase,) = engine.load.spans
    engine.load = replace(
        engine.load,
        spans=(replace(phase, joins_ns=(0, 12 * SECOND)),),
        think_ns=[5 * SECOND, 1 * SECOND, 0, 30 * SECOND, 7 * SECOND, 0, 0, 0, 0],
    )

    async def hear() -> None:
        while True:
            for delivery in await endpoint.receive():
                tracker.noticed(delivery.content, clock.now_ns())  # type: ignore[arg-type]  # the fake sends notices only

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear)
        await engine.submit_all()
        tasks.cancel_scope.cancel()
    # Ends at 10 (thinks 5 s), 22 (1 s), 25 (0 s), 33 (30 s), 35 (7 s), 52 (0 s).
    assert [at_ns // SECOND for at_ns, _ in endpoint.submitted] == [0, 12, 15, 23, 25, 42, 52]
    assert list(tracker.ledger.sched_ns)[:7] == [at_ns for at_ns, _ in endpoint.submitted]
    assert tracker.counts[State.NOT_SENT] == 2
    assert why_not_sent(tracker) == {NotSent.PHASE_ENDED}
    assert clock.now_ns() == 60 * SECOND


async def test_what_a_closed_phase_did_not_release_is_closed_with_it_whatever_ends_the_load_later() -> None:
    clock = LoopClock()
    endpoint = Answering(clock)  # each call takes a second
    rows = ledger([-1] * 20 + [60 * SECOND, 70 * SECOND, 500 * SECOND], phase=[0] * 20 + [1] * 3, n_phases=2)
    tracker, control = Tracker(rows), Control()
    first, second = span(20, end_ns=10 * SECOND, outstanding=1), span(3, index=1, start_ns=60 * SECOND)
    limits, rng = Limits(in_flight=10), np.random.default_rng(0)
    load = Load((first, second), invocation_of(rows), limits, Retry(), rng, patience_s=600)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Engine(load, tracker, endpoint, clock, control).submit_all)
        await clock.sleep_until_ns(65 * SECOND)
        assert {reason_of(tracker, row) for row in range(10, 20)} == {NotSent.PHASE_ENDED}
        assert (tracker.counts[State.NOT_SENT], tracker.n_due(clock.now_ns())) == (10, 11)
        control.stop(NotSent.STOPPED, "asked to")
    assert [reason_of(tracker, row) for row in (19, 21, 22)] == [NotSent.PHASE_ENDED, *[NotSent.STOPPED] * 2]
    assert tracker.counts[State.COMPLETED] + tracker.counts[State.FAILED] == 11
    assert tracker.violations() == []


async def test_a_user_who_thinks_is_not_given_up() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock, verdict=lambda _n: Rejected(400, "ValidationError", "no"))
    engine, _, _ = make([-1] * 2, clock, endpoint, outstanding=1, end_ns=3_000 * SECOND)
    engine.load = replace(engine.load, think_ns=[1_000 * SECOND] * 2)
    await engine.submit_all()
    assert [at_ns // SECOND for at_ns, _ in endpoint.submitted] == [0, 1_000]


async def test_a_closed_loop_whose_ends_never_come_gives_up_after_its_patience() -> None:
    clock = LoopClock()
    endpoint = FakeEndpoint(clock)
    engine, tracker, _ = make([-1] * 9, clock, endpoint, outstanding=3)
    await engine.submit_all()
    assert len(endpoint.submitted) == 3
    assert clock.now_ns() == 600 * SECOND
    assert (tracker.counts[State.NOT_SENT], tracker.n_dropped) == (6, 0)  # the phase ended first: no limit of ours
