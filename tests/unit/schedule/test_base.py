"""Goal: a schedule is fixed, has a fingerprint, and is shared out without losing or doubling a row or a place.
Method: small schedules made by hand; sums over all shards."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from smbench.schedule.base import NOT_TIMED_NS, PhaseSpan, Schedule


def closed_between_bursts(outstanding: int = 5, n_closed: int = 23) -> Schedule:
    """Three requests at 0, a closed phase from 1 s to 9 s, two requests at 9 s."""
    return Schedule(
        sched_ns=np.array([0, 0, 0, *[NOT_TIMED_NS] * n_closed, 9 * 10**9, 9 * 10**9], dtype=np.int64),
        phase=np.array([0] * 3 + [1] * n_closed + [2] * 2, dtype=np.int16),
        payload=np.arange(n_closed + 5, dtype=np.int32) % 3,
        spans=(
            PhaseSpan(0, "burst", "burst", True, 0, 10**9, 0, 3, None, "three"),
            PhaseSpan(1, "closed", "closed", False, 10**9, 9 * 10**9, 3, n_closed, outstanding, "closed"),
            PhaseSpan(2, "burst-2", "burst", False, 9 * 10**9, 10 * 10**9, 3 + n_closed, 2, None, "two"),
        ),
    )


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    schedule = closed_between_bursts()
    with pytest.raises(ValueError, match="differ in length"):
        replace(schedule, payload=schedule.payload[1:])
    with pytest.raises(ValueError, match="differ in length"):
        replace(schedule, spans=schedule.spans[1:])


def test_nobody_can_move_an_arrival() -> None:
    schedule = closed_between_bursts()
    for array in (schedule.sched_ns, schedule.phase, schedule.payload):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_equal_schedules_have_equal_digests() -> None:
    assert closed_between_bursts().digest == closed_between_bursts().digest
    assert len(closed_between_bursts().digest) == 64


def test_the_digest_sees_every_array_and_every_span() -> None:
    schedule = closed_between_bursts()
    later, other_phase, other_payload = schedule.sched_ns.copy(), schedule.phase.copy(), schedule.payload.copy()
    later[-1] += 1
    other_phase[0] = 1
    other_payload[0] = 2
    spans = schedule.spans
    changed = [
        replace(schedule, sched_ns=later),
        replace(schedule, phase=other_phase),
        replace(schedule, payload=other_payload),
        replace(schedule, spans=(*spans[:2], replace(spans[2], end_ns=None))),
        replace(schedule, spans=(spans[0], replace(spans[1], outstanding=6), spans[2])),
        replace(schedule, spans=(replace(spans[0], warmup=False), *spans[1:])),
    ]
    assert len({schedule.digest, *(one.digest for one in changed)}) == 7


def test_the_digest_does_not_depend_on_the_wording() -> None:
    schedule = closed_between_bursts()
    reworded = (replace(schedule.spans[0], description="3 at once"), *schedule.spans[1:])
    assert replace(schedule, spans=reworded).digest == schedule.digest


def test_the_span_ends_with_the_last_phase_or_where_that_begins_when_its_end_is_open() -> None:
    schedule = closed_between_bursts()
    assert schedule.span_ns == 10 * 10**9
    assert replace(schedule, spans=(*schedule.spans[:2], replace(schedule.spans[2], end_ns=None))).span_ns == 9 * 10**9


def test_one_worker_has_the_whole_schedule() -> None:
    schedule = closed_between_bursts()
    shard = schedule.shard(0, 1)
    assert shard.seq.tolist() == list(range(len(schedule)))
    assert shard.sched_ns.tolist() == schedule.sched_ns.tolist()
    assert shard.spans == schedule.spans
    assert len(shard) == len(schedule)


@pytest.mark.parametrize("of", [2, 3, 4, 8])
def test_every_row_belongs_to_exactly_one_worker_and_brings_its_own_values(of: int) -> None:
    schedule = closed_between_bursts()
    shards = [schedule.shard(index, of) for index in range(of)]
    assert sorted(np.concatenate([shard.seq for shard in shards]).tolist()) == list(range(len(schedule)))
    for shard in shards:
        assert (np.diff(shard.seq) > 0).all()
        assert shard.seq.dtype == np.int64
        for name in ("sched_ns", "phase", "payload"):
            assert getattr(shard, name).tolist() == getattr(schedule, name)[shard.seq].tolist()
        assert [span.n for span in shard.spans] == [int((shard.phase == index).sum()) for index in range(3)]


@pytest.mark.parametrize("of", [2, 3, 4])
def test_timed_rows_are_dealt_in_turn(of: int) -> None:
    schedule = closed_between_bursts()
    for index in range(of):
        shard = schedule.shard(index, of)
        assert (shard.seq[shard.sched_ns >= 0] % of == index).all()


def test_outstanding_is_shared_out_exactly_the_first_workers_getting_the_remainder() -> None:
    # 5 among 3: 2 + 2 + 1.
    shards = [closed_between_bursts(outstanding=5).shard(index, 3) for index in range(3)]
    assert [shard.spans[1].outstanding for shard in shards] == [2, 2, 1]
    assert [shard.spans[0].outstanding for shard in shards] == [None, None, None]


def test_closed_rows_follow_their_places_so_that_all_workers_end_together() -> None:
    # 20 rows over 5 places are 4 rows a place: workers with 2, 2 and 1 places get 8, 8 and 4 rows.
    shards = [closed_between_bursts(outstanding=5, n_closed=20).shard(index, 3) for index in range(3)]
    assert [shard.spans[1].n for shard in shards] == [8, 8, 4]


@pytest.mark.parametrize("of", [1, 2, 3])
def test_users_are_dealt_out_one_by_one_with_rows_for_the_time_that_they_are_there(of: int) -> None:
    joins_ns = (0, 0, 10**9, 2 * 10**9, 3 * 10**9)
    span = PhaseSpan(0, "users", "users", False, 0, 4 * 10**9, 0, 1_400, 5, "", joins_ns=joins_ns)
    rows = np.zeros(1_400, dtype=np.int64)
    schedule = Schedule(
        rows + NOT_TIMED_NS, rows.astype(np.int16), rows.astype(np.int32), (span,), think_ns=np.arange(1_400)
    )
    shards = [schedule.shard(index, of) for index in range(of)]
    assert [shard.spans[0].joins_ns for shard in shards] == [joins_ns[index::of] for index in range(of)]
    for shard in shards:
        there_s = sum(4 - join_ns / 1e9 for join_ns in shard.spans[0].joins_ns)  # of 4 + 4 + 3 + 2 + 1
        assert shard.spans[0].n == pytest.approx(there_s * 100, abs=5)
        assert (shard.think_ns == shard.seq).all()
    assert sorted(np.concatenate([shard.seq for shard in shards])) == list(range(1_400))


def test_a_worker_without_a_place_in_a_closed_phase_has_no_row_of_it() -> None:
    shards = [closed_between_bursts(outstanding=1).shard(index, 4) for index in range(4)]
    assert [(shard.spans[1].outstanding, shard.spans[1].n) for shard in shards] == [(1, 23), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(("index", "of"), [(2, 2), (-1, 2), (0, 0)])
def test_a_worker_that_is_none_of_them_is_refused(index: int, of: int) -> None:
    with pytest.raises(ValueError, match="there is no worker"):
        closed_between_bursts().shard(index, of)


def test_a_schedule_and_its_shards_survive_the_way_to_another_process() -> None:
    schedule = closed_between_bursts()
    assert pickle.loads(pickle.dumps(schedule)).digest == schedule.digest
    assert pickle.loads(pickle.dumps(schedule.shard(1, 2))).seq.tolist() == schedule.shard(1, 2).seq.tolist()
