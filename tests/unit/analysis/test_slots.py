"""Goal: what is reconstructed of begins and ends is what happened, and what cannot be known is left out, never guessed.

Method: a queue with slots played by a heap beside the reconstruction; then stories in which an instance leaves at work,
or one end is not told.
"""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import Request, frames_of, reading
from smbench.analysis.capacity.instances import capacity, concurrency
from smbench.analysis.capacity.slots import Slots, slots
from smbench.analysis.latency.stages import Stage, stages
from smbench.analysis.rows.frames import Frames
from smbench.records import Outcome, Reading, Unknown


def scenario(slots_each: int) -> dict[str, object]:
    return {"target": {"emulated": {"instances": {"concurrency": slots_each}}}}


def counts(*looks: tuple[float, int, int]) -> list[Reading]:
    """Looks at the endpoint: when, instances there, instances desired."""
    return [
        reading(name, float(count), at)
        for at, there, desired in looks
        for name, count in (("instances_current", there), ("instances_desired", desired))
    ]


def reckon(rows: list[Request], looks: list[Reading], slots_each: int = 1) -> Slots:
    found = reconstructed(frames_of(rows, readings=looks, scenario=scenario(slots_each)))
    assert isinstance(found, Slots), found
    return found


def reconstructed(frames: Frames) -> Slots | Unknown:
    return slots(frames, capacity(frames), concurrency(frames))


def stage(frames: Frames, name: str) -> Stage:
    return next(one for one in stages(frames, reconstructed(frames)) if one.name == name)


ARRIVALS = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(1, 5_000)), min_size=1, max_size=60
)  # when, and how long, milliseconds


@pytest.mark.slow
@given(jobs=ARRIVALS, instances=st.integers(1, 3), slots_each=st.integers(1, 3))
def test_begins_are_those_of_the_queue(jobs: list[tuple[int, int]], instances: int, slots_each: int) -> None:
    jobs = sorted(jobs)
    free = [0] * (instances * slots_each)
    rows, began = [], []
    for at, takes in jobs:
        starts = max(at, heapq.heappop(free))
        heapq.heappush(free, starts + takes)
        began.append(starts)
        rows.append(Request(at / 1000, done=(starts + takes) / 1000))
    found = reckon(rows, counts((0.0, instances, instances)), slots_each)
    assert found.is_known.all()
    # Equal arrivals may change places among themselves: as sets, and each service is positive.
    assert sorted((found.began_ns // 1_000_000).tolist()) == sorted(began)
    assert (found.ended_ns >= found.began_ns).all()


@pytest.mark.slow
@given(
    jobs=ARRIVALS,
    instances=st.integers(2, 3),
    slots_each=st.integers(1, 3),
    left=st.integers(1, 25_000),
    data=st.data(),
)
def test_what_is_known_is_true_though_an_instance_leaves(
    jobs: list[tuple[int, int]], instances: int, slots_each: int, left: int, data: st.DataObject
) -> None:
    # Whichever slot of those free a request takes. The leaver's take nothing from `left` on, and finish what they have.
    jobs = sorted(jobs)
    free = [0] * (instances * slots_each)
    rows, began = [], []
    for at, takes in jobs:
        could = [max(at, since) for since in free]
        for slot in range(slots_each):  # the first instance leaves
            could[slot] = could[slot] if could[slot] < left else 10**9
        starts = min(could)
        slot = data.draw(st.sampled_from([slot for slot, when in enumerate(could) if when == starts]))
        free[slot] = starts + takes
        began.append(starts)
        rows.append(Request(at / 1000, done=(starts + takes) / 1000))
    looks = counts((0.0, instances, instances), ((left - 1) / 1000, instances, instances))
    looks += counts((left / 1000, instances - 1, instances - 1))
    found = reconstructed(frames_of(rows, readings=looks, scenario=scenario(slots_each)))
    if isinstance(found, Unknown):
        return  # nothing is known of any: so be it
    reckoned_ms = (found.began_ns // 1_000_000).tolist()
    # Equal arrivals may change places among themselves.
    known = [
        (arrived, ms)
        for arrived, ms, is_known in zip(found.arrived_ns.tolist(), reckoned_ms, found.is_known.tolist(), strict=True)
        if is_known
    ]
    true = sorted((at * 1_000_000, starts) for (at, _), starts in zip(jobs, began, strict=True))
    for one in known:
        assert one in true


def test_instances_that_come_bring_their_slots_at_the_instant_told() -> None:
    # Nobody serves; at 10 s one instance of two slots, at 12 s another. Six requests of 5 s wait from 0 s:
    # two begin at 10 and end at 15, two at 12 and 17, two at 15 and 20.
    rows = [Request(0.0, done=done) for done in (15.0, 15.0, 17.0, 17.0, 20.0, 20.0)]
    looks = counts((0.0, 0, 2), (9.999, 0, 2), (10.001, 1, 2), (11.999, 1, 2), (12.001, 2, 2))
    found = reckon(rows, looks, 2)
    assert (found.began_ns / 1e9).tolist() == pytest.approx([10, 10, 12, 12, 15, 15])
    assert found.service_mean_s == pytest.approx(5.0)


def test_a_begin_between_two_looks_is_no_service_time() -> None:
    # The instance came at some instant between 0 s and 10 s: only what began later is known exactly.
    rows = [Request(0.0, done=7.0), Request(0.0, done=11.0), Request(0.0, done=12.5)]
    found = reckon(rows, counts((0.0, 0, 1), (10.0, 1, 1)))
    assert found.is_known.all()
    assert found.is_sharp.tolist() == [False, False, True]
    assert found.service_mean_s == pytest.approx(1.5)


def test_after_an_instance_leaves_amid_work_who_waits_is_left_out_until_all_is_over() -> None:
    # Two instances until 5 s, then one. Four requests at 0 s of 3 s each; a fifth finds nothing at 60 s.
    rows = [Request(0.0, done=done) for done in (3.0, 3.0, 6.0, 6.0, 9.0)] + [Request(60.0, done=61.5)]
    found = reckon(rows, counts((0.0, 2, 2), (4.999, 2, 2), (5.001, 1, 1)))
    assert found.is_known.tolist() == [True, True, True, True, False, True]
    assert (found.ended_ns - found.began_ns)[-1] / 1e9 == pytest.approx(1.5)


def test_an_instance_that_leaves_an_idle_endpoint_spoils_nothing() -> None:
    rows = [Request(0.0, done=3.0), Request(60.0, done=62.0), Request(60.0, done=64.0)]
    found = reckon(rows, counts((0.0, 2, 2), (30.0, 2, 2), (40.0, 1, 1)))
    assert found.is_known.all()
    assert (found.began_ns / 1e9).tolist() == [0.0, 60.0, 62.0]  # one slot is left


def test_an_end_that_no_notice_told_spoils_what_began_after_it() -> None:
    rows = [
        Request(0.0, done=2.0),
        Request(0.0, done=4.0, end_from="output", notices=0),
        Request(0.0, done=6.0),
        Request(90.0, done=91.0),
    ]
    found = reckon(rows, counts((0.0, 1, 1)))
    assert found.is_known.tolist() == [True, False, False, True]


def test_requests_that_expire_take_no_slot() -> None:
    rows = [Request(0.0, done=10.0), Request(1.0, Outcome.EXPIRED, done=5.0), Request(2.0, done=13.0)]
    found = reckon(rows, counts((0.0, 1, 1)))
    assert (found.began_ns / 1e9).tolist() == [0.0, 10.0]


@pytest.mark.parametrize("done", [(5.0, 9.0), (9.0, 5.0)])
def test_of_those_received_at_one_instant_the_first_to_end_began_first(done: tuple[float, float]) -> None:
    # Whatever their numbers: 0 s to 5 s, then 5 s to 9 s.
    found = reckon([Request(0.0, done=each) for each in done], counts((0.0, 1, 1)))
    assert ((found.ended_ns - found.began_ns) / 1e9).tolist() == [5.0, 4.0]


def test_who_has_no_end_began_last_of_those_received_at_one_instant() -> None:
    found = reckon([Request(0.0, Outcome.PENDING), Request(0.0, done=5.0)], counts((0.0, 1, 1)))
    assert (found.began_ns / 1e9).tolist() == [0.0, 5.0]
    assert found.is_completed.tolist() == [True, False]


def test_what_waits_and_what_works_at_the_end_is_censored() -> None:
    rows = [Request(0.0, done=4.0), Request(1.0, Outcome.PENDING), Request(2.0, Outcome.PENDING)]
    looks = counts((0.0, 1, 1), (10.0, 1, 1))
    frames = frames_of(rows, readings=looks, scenario=scenario(1))
    wait, service = stage(frames, "queue wait").spread, stage(frames, "service").spread
    assert (wait.n, wait.n_censored) == (3, 1)  # 0 s, 3 s and more than 8 s
    assert wait.max is not None
    assert (wait.max.low, wait.max.high) == (8.0, None)
    assert (service.n, service.n_censored) == (2, 1)  # 4 s, and more than the 6 s since 4 s


def test_waiting_times_are_withheld_where_many_are_left_out() -> None:
    # One instance of two leaves at 5.5 s, and the backlog never clears: who came early is followed, who waited is not.
    rows = [Request(0.0, done=float(k // 2 + 1 if k < 10 else k - 4)) for k in range(40)]
    looks = counts((0.0, 2, 2), (5.499, 2, 2), (5.501, 1, 1))
    frames = frames_of(rows, readings=looks, scenario=scenario(1))
    wait, service = stage(frames, "queue wait"), stage(frames, "service")
    assert (wait.n, service.n) == (0, 12)
    assert "28 requests left out" in wait.reason
    assert service.spread.mean_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("looks", "of", "why"),
    [
        ([], scenario(1), "how many instances"),
        (counts((0.0, 1, 1)), {"target": {"endpoint": "e"}}, "MaxConcurrentInvocationsPerInstance"),
    ],
)
def test_without_instances_or_slots_there_is_a_reason_and_no_figure(
    looks: list[Reading], of: dict[str, object], why: str
) -> None:
    frames = frames_of([Request(0.0, done=1.0)], readings=looks, scenario=of)
    for name in ("queue wait", "service"):
        assert stage(frames, name).n == 0
        assert why in stage(frames, name).reason


def test_a_wrong_concurrency_contradicts_itself_and_is_not_believed() -> None:
    # Two at once in truth, one told: of each pair the second would end before the first has.
    rows = [Request(float(k), done=k + 2.0) for k in range(40)]
    rows += [Request(float(k), done=k + 2.0) for k in range(40)]
    frames = frames_of(rows, readings=counts((0.0, 1, 1)), scenario=scenario(1))
    found = reconstructed(frames)
    assert isinstance(found, Unknown)
    assert "before a slot was free" in found.reason


def test_waiting_and_service_add_up_to_the_time_from_receipt_to_end() -> None:
    rng = np.random.default_rng(3)
    at = np.sort(rng.uniform(0, 50, 80))
    rows, free = [], 0.0
    for arrived, takes in zip(at.tolist(), rng.exponential(0.5, 80).tolist(), strict=True):
        free = max(arrived, free) + takes
        rows.append(Request(arrived, done=free))
    frames = frames_of(rows, readings=counts((0.0, 1, 1)), scenario=scenario(1))
    wait, service = stage(frames, "queue wait").spread, stage(frames, "service").spread
    received = frames.requests["service_view_ns"].to_numpy() / 1e9
    assert wait.mean_s is not None
    assert service.mean_s is not None
    assert wait.mean_s + service.mean_s == pytest.approx(received.mean())
