"""Laws the model keeps whatever happens to it, checked at every callback and after every step.

Conservation, slots, order, expiry, Little's law, and that no driver's steps change the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelling import SECOND, Stand
from smbench.model.endpoints.endpoint import UpdateInProgress
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import MetricStore
from smbench.model.service import Seeds
from smbench.records import Outcome
from smbench.scenario.values.distributions import Distribution

# Half seconds: instants that coincide are where the mistakes are.
spans_s = st.integers(0, 200).map(lambda halves: halves / 2)


@dataclass(frozen=True)
class Arrive:
    n: int
    ttl_s: float
    timeout_s: float


@dataclass(frozen=True)
class SetDesired:
    n: int


@dataclass(frozen=True)
class Wait:
    span_s: float


steps = st.lists(
    st.one_of(
        st.builds(Arrive, st.integers(1, 6), st.sampled_from([60.0, 90.0, 300.0]), st.sampled_from([2.0, 40.0, 900.0])),
        st.builds(SetDesired, st.integers(0, 5)),
        st.builds(Wait, spans_s),
    ),
    max_size=40,
)

worlds = st.fixed_dictionaries(
    {
        "n": st.integers(0, 3),
        "seeds": st.integers(0, 1_000).map(lambda seed: Seeds(seed, seed, seed)),
        "instances": st.integers(1, 3).map(lambda slots: {"concurrency": slots}),
        "service": st.sampled_from(["5s", "30s", {"exponential": {"mean": "20s"}}]),
        "provision": st.sampled_from(["0s", "40s", {"uniform": {"low": "10s", "high": "90s"}}]),
        "remove": st.sampled_from(["0s", "30s"]),
        "service_spread": st.sampled_from([0.0, 0.3]),
        "faults": st.fixed_dictionaries(
            {
                "container_errors": st.sampled_from([0.0, 0.3]),
                "provision_failures": st.sampled_from([0.0, 0.4]),
                "instance_life": st.sampled_from([None, "35s", {"exponential": {"mean": "60s"}}]),
            }
        ),
        "open_questions": st.fixed_dictionaries(
            {
                "drain_on_remove": st.booleans(),
                "redeliver_on_death": st.booleans(),
                "serialise_updates": st.booleans(),
            }
        ),
    }
)
quiet_worlds = worlds.map(lambda world: world | {"faults": {}, "open_questions": {}})


def do(stand: Stand, step: Arrive | SetDesired | Wait) -> None:
    match step:
        case Arrive(n, ttl_s, timeout_s):
            stand.arrive(n, ttl_s=ttl_s, timeout_s=timeout_s)
        case SetDesired(n):
            try:
                stand.endpoint.set_desired(n)
            except UpdateInProgress:
                assert stand.endpoint.is_updating
        case Wait(span_s):
            stand.go_to(stand.event_queue.now_ns / SECOND + span_s)


def check(stand: Stand) -> None:
    """What holds at every instant, also amid an advance."""
    endpoint, fleet = stand.endpoint, stand.endpoint._fleet
    assert endpoint.accepted == endpoint.queued + endpoint.running + endpoint.ended
    assert len({end.job.index for end in stand.ends}) == len(stand.ends)
    assert endpoint.billed >= endpoint.current >= endpoint.in_service >= 0
    loads = [len(instance.running) for instance in (*fleet._serving, *fleet._leaving)]
    assert sum(loads) == endpoint.running
    assert all(load <= endpoint.settings.concurrency for load in loads)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(worlds, steps)
def test_every_accepted_request_is_in_exactly_one_place(world: dict[str, Any], todo: list[Any]) -> None:
    stand = Stand(**world)
    at_callback: Callable[[object], None] = lambda _: check(stand)  # noqa: E731  # one rule, two lists
    stand.endpoint.on_end.append(at_callback)
    stand.endpoint.on_capacity.append(at_callback)
    for step in todo:
        do(stand, step)
        check(stand)
        assert len(stand.ends) == stand.endpoint.ended


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(worlds, steps)
def test_no_slot_is_idle_while_a_request_waits(world: dict[str, Any], todo: list[Any]) -> None:
    stand = Stand(**world)
    for step in todo:
        do(stand, step)
        slots = stand.endpoint.in_service * stand.endpoint.settings.concurrency
        serving = sum(len(instance.running) for instance in stand.endpoint._fleet._serving)
        assert stand.endpoint.queued == 0 or serving == slots


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(worlds, steps)
def test_requests_expire_at_their_time_to_live_and_start_only_before_it(world: dict[str, Any], todo: list[Any]) -> None:
    stand = Stand(**world)
    for step in todo:
        do(stand, step)
    stand.go_to(stand.event_queue.now_ns / SECOND + 2_000)
    assert stand.endpoint.queued == 0
    for end in stand.ends:
        expires_ns = end.job.recv_ns + round(end.job.ttl_s * SECOND)
        assert end.start_ns is None or end.start_ns < expires_ns
        if end.outcome is Outcome.EXPIRED and end.attempts == 0:
            assert end.done_ns == expires_ns
        if end.outcome in (Outcome.COMPLETED, Outcome.FAILED) and end.start_ns is not None:
            assert end.done_ns - end.start_ns <= round(end.job.timeout_s * SECOND)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(quiet_worlds, steps)
def test_requests_start_in_order_of_acceptance(world: dict[str, Any], todo: list[Any]) -> None:
    stand = Stand(**world)
    for step in todo:
        do(stand, step)
    stand.go_to(stand.event_queue.now_ns / SECOND + 2_000)
    starts_s = [start for _, start in sorted(stand.starts_s().items())]
    assert starts_s == sorted(starts_s)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(worlds, steps)
def test_the_backlogs_integral_is_the_sum_of_the_sojourns(world: dict[str, Any], todo: list[Any]) -> None:
    # Little's law on the sample path: exact, from an empty endpoint to an empty one. The integral is CloudWatch's own.
    stand = Stand(**world, epoch_s=37.0)
    for step in todo:
        do(stand, step)
    while stand.endpoint.backlog:
        stand.go_to(stand.event_queue.now_ns / SECOND + 600)
    stand.go_to(stand.event_queue.now_ns / SECOND + 60)
    integral_s = sum(60 * point.average for point in stand.points("ApproximateBacklogSize"))
    sojourns_s = sum((end.done_ns - end.job.recv_ns) / SECOND for end in stand.ends)
    assert integral_s == pytest.approx(sojourns_s, rel=1e-9, abs=1e-6)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(worlds, steps, st.lists(spans_s, max_size=20))
def test_the_steps_of_a_driver_do_not_change_the_truth(
    world: dict[str, Any], todo: list[Any], pauses: list[float]
) -> None:
    def truth(*, in_small_steps: bool) -> list[Any]:
        stand = Stand(**world)
        for step in todo:
            if isinstance(step, Wait) and in_small_steps:
                end_s = stand.event_queue.now_ns / SECOND + step.span_s
                for pause in sorted(pauses):
                    if stand.event_queue.now_ns / SECOND < pause < end_s:
                        stand.go_to(pause)
                stand.go_to(end_s)
            else:
                do(stand, step)
        return [stand.ends, stand.changes, list(stand.metrics.history())]

    assert truth(in_small_steps=False) == truth(in_small_steps=True)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(spans_s, st.one_of(st.none(), st.integers(-5, 50))), max_size=30), st.integers(0, 59))
def test_a_gauges_minutes_are_its_time_averages(changes: list[tuple[float, int | None]], epoch_s: int) -> None:
    event_queue = EventQueue()
    metrics = MetricStore(event_queue, epoch_s * SECOND, delay=Distribution.model_validate("0s"))
    gauge = metrics.open_gauge("m", (), "Count", initial=0.0)
    trajectory: list[tuple[float, float | None]] = [(-epoch_s, 0.0)]
    for span_s, value in changes:
        event_queue.advance(event_queue.now_ns + round(span_s * SECOND))
        gauge.set(value)
        trajectory.append((event_queue.now_ns / SECOND, value))
    event_queue.advance(event_queue.now_ns + 90 * SECOND)
    points = {point.start_ns // SECOND: point for _, point in metrics.history()}
    minute_s = -epoch_s
    while minute_s + 60 <= event_queue.now_ns / SECOND:
        standing = _standing(trajectory, minute_s)
        defined_s = sum(span_s for span_s, _ in standing)
        if defined_s:
            point = points.pop(minute_s)
            average = sum(span_s * value for span_s, value in standing) / defined_s
            assert point.average == pytest.approx(average)
            assert (point.minimum, point.maximum) == (min(v for _, v in standing), max(v for _, v in standing))
        minute_s += 60
    assert points == {}


def _standing(trajectory: list[tuple[float, float | None]], minute_s: float) -> list[tuple[float, float]]:
    """How long each value stood within a minute, by walking half second by half second."""
    standing = []
    for half in range(120):
        at_s = minute_s + half / 2
        value = next((value for since_s, value in reversed(trajectory) if since_s <= at_s), None)
        if value is not None:
            standing.append((0.5, float(value)))
    return standing
