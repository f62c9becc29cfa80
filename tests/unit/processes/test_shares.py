"""Goal: what workers get adds up to exactly what the scenario asks for. Method: hypothesis over loads, limits and
numbers of workers; laws of the sums. And what cannot be shared is refused with a way out."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smbench.errors import UsageError
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.shares import check_workers, share_of
from smbench.scenario.model import Limits, Scenario

BURSTS = st.integers(0, 30).map(lambda n: {"burst": {"requests": n + 1}})
CLOSED = st.tuples(st.integers(1, 9), st.integers(0, 30)).map(
    lambda drawn: {"closed": {"outstanding": drawn[0], "requests": drawn[0] + drawn[1], "for": "10s"}}
)
LOADS = st.lists(BURSTS | CLOSED, min_size=1, max_size=3)


def plan_of(load: list[dict[str, Any]], time: str = "real", **sections: Any) -> RunPlan:
    target = {"emulated": {"time": time}}
    return make_plan(Scenario.model_validate({"name": "x", "load": load, "target": target, **sections}), Path())


@pytest.mark.slow
@given(LOADS, st.integers(1, 9), st.integers(0, 80), st.data())
def test_shares_of_the_limits_add_up_to_the_limits(
    load: list[dict[str, Any]], of: int, spare: int, data: st.DataObject
) -> None:
    schedule = plan_of(load).schedule
    requests = data.draw(st.integers(1, len(schedule) + 3))
    limits = Limits(in_flight=of + spare, requests=requests, errors=0.05, time=7.0)
    shards = [schedule.shard(index, of) for index in range(of)]
    shares = [share_of(limits, shard) for shard in shards]
    assert sum(share.in_flight for share in shares) == limits.in_flight
    assert max(share.in_flight for share in shares) - min(share.in_flight for share in shares) <= 1
    assert min(share.in_flight for share in shares) >= 1
    # Every worker sends its rows in order, so together they send exactly the schedule's first rows.
    first = sorted(
        seq for share, shard in zip(shares, shards, strict=True) for seq in shard.seq[: share.requests].tolist()
    )
    assert first == list(range(min(requests, len(schedule))))
    assert {share.time for share in shares} == {7.0}


def test_one_worker_has_all_limits_to_itself() -> None:
    limits = Limits(in_flight=3, requests=2, errors=0.05)
    assert share_of(limits, plan_of([{"burst": {"requests": 9}}]).schedule.shard(0, 1)) is limits


def test_of_several_workers_none_judges_the_share_of_errors() -> None:
    shard = plan_of([{"burst": {"requests": 9}}]).schedule.shard(0, 2)
    assert share_of(Limits(errors=0.05), shard).errors is None


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6))
@example([(2, 10), (3, 5)])  # a quarter is not beyond a quarter
@example([(9, 10)])  # too few have come to tell
def test_the_error_limit_of_a_sum_is_that_of_one_worker_with_all_answers(answers: list[tuple[int, int]]) -> None:
    limits = Limits(errors=0.25, errors_after=20)
    n_bad, n_good = (sum(counts) for counts in zip(*answers, strict=True))
    reason = limits.broken_by(n_bad, n_bad + n_good)
    assert bool(reason) == (n_bad + n_good >= 20 and 4 * n_bad > n_bad + n_good)


@pytest.mark.parametrize(
    ("n_workers", "load", "sections", "words"),
    [
        (2, [{"burst": {"requests": 9}}], {"time": "warp"}, "time: real"),
        (2, [{"burst": {"requests": 9}}], {"collector": {"queue": "https://queue"}}, "leave collector.queue out"),
        (4, [{"burst": {"requests": 9}}], {"limits": {"in_flight": 3}}, "at most 3 workers"),
        (4, [{"burst": {"requests": 3}}], {}, "worker 3 would have nothing to send, of 3 requests"),
        (4, [{"closed": {"outstanding": 2, "requests": 9}}], {}, "worker 2 would have nothing to send, of 9 requests"),
    ],
)
def test_what_cannot_be_shared_is_refused_with_a_way_out(
    n_workers: int, load: list[dict[str, Any]], sections: dict[str, Any], words: str
) -> None:
    plan = plan_of(load, **sections)
    with pytest.raises(UsageError) as refused:
        check_workers(plan, n_workers)
    assert words in f"{refused.value.message} {refused.value.advice}"
    assert f"--workers {n_workers}" in refused.value.message
    check_workers(plan, 1)


@pytest.mark.slow
@given(LOADS, st.integers(1, 9))
def test_workers_that_are_let_begin_have_something_to_send(load: list[dict[str, Any]], n_workers: int) -> None:
    plan = plan_of(load)
    try:
        check_workers(plan, n_workers)
    except UsageError:
        return
    assert all(len(plan.schedule.shard(index, n_workers)) for index in range(n_workers))
