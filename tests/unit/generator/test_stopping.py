"""Goal: a phase stops where its author said, on what a window showed, and never on too little.

Method: windows made by hand, one figure at its limit and just beyond; and what a ledger says of one.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from doubles import ledger, span
from smbench.generator.stopping import Jury, Seen, SeenWindow, Window, conditions_met, seen_in, windows
from smbench.generator.tracking.tracker import Tracker
from smbench.records import Answered, Outcome, Rejected, Unacknowledged
from smbench.scenario.phases import Phase, Stop

SECOND = 1_000_000_000


def window(number: int = 1, level: float | None = None, length_s: int = 60) -> Window:
    return Window(f"step {number}", (number - 1) * length_s * SECOND, number * length_s * SECOND, level)


def seen(*latencies_s: float, n_bad: int = 0, ages_s: tuple[float, ...] = (), n_sent: int = 0) -> Seen:
    return Seen(n_sent, np.sort(np.asarray(latencies_s)), n_bad, np.asarray(ages_s))


def met(stop: dict[str, Any], one: Seen, length_s: int = 60) -> list[str]:
    return list(conditions_met(Stop.model_validate(stop), [(window(length_s=length_s), one)]))


@pytest.mark.parametrize(
    ("stop", "one", "words"),
    [
        ({"p95": "2s"}, seen(*[1.0] * 18, 2.0, 9.0), None),  # the 19th of 20
        ({"p95": "2s"}, seen(*[1.0] * 18, 2.1, 9.0), "p95 of 20 requests is 2.10 s, above 2.00 s"),
        ({"p95": "2s"}, seen(*[1.0] * 19, n_bad=1), None),
        ({"p95": "2s"}, seen(*[1.0] * 18, n_bad=2), "p95 of 20 requests is > 2.00 s, above 2.00 s"),
        ({"p50": "2s"}, seen(*[1.0] * 4, ages_s=(2.5,) * 6), "p50 of 10 requests is > 2.00 s, above 2.00 s"),
        ({"p50": "2s"}, seen(*[1.0] * 4, ages_s=(1.5,) * 60), None),  # they may still be quick
        ({"p99": "2s"}, seen(*[9.0] * 9), None),  # too few
        ({"errors": "10%"}, seen(*[1.0] * 18, n_bad=2), None),
        ({"errors": "10%"}, seen(*[1.0] * 17, n_bad=3), "15.0 % of 20 ends were errors, more than 10.0 %"),
        ({"errors": "10%"}, seen(n_bad=9), None),
        ({"invocations_per_minute": 60}, seen(n_sent=59), None),
        ({"invocations_per_minute": 60}, seen(n_sent=60), "60 invocations a minute, of 60"),
    ],
)
def test_a_condition_is_met_beyond_its_limit_and_never_by_too_few_ends(
    stop: dict[str, Any], one: Seen, words: str | None
) -> None:
    assert met(stop, one) == ([] if words is None else [words])


def test_a_step_of_another_length_counts_its_invocations_by_the_minute() -> None:
    assert met({"invocations_per_minute": 60}, seen(n_sent=10), length_s=10) != []
    assert met({"invocations_per_minute": 60}, seen(n_sent=9), length_s=10) == []


@pytest.mark.parametrize(("n_completed", "is_flat"), [(124, True), (125, False), (150, False), (90, True)])
def test_throughput_is_flat_where_it_rose_by_less_than_this_share_of_what_the_load_did(
    n_completed: int, *, is_flat: bool
) -> None:
    past = [(window(1, 2.0), seen(*[1.0] * 100)), (window(2, 3.0), seen(*[1.0] * n_completed))]
    assert bool(list(conditions_met(Stop(flat=0.5), past))) is is_flat
    assert list(conditions_met(Stop(flat=0.5), past[:1])) == []  # the first has none before it


def test_a_step_is_compared_with_the_best_before_it_and_not_with_a_slip() -> None:
    counts = (100, 200, 150, 201)
    past = [(window(k + 1, k + 1.0), seen(*[1.0] * n)) for k, n in enumerate(counts)]
    assert len(list(conditions_met(Stop(flat=0.1), past))) == 1


def test_windows_are_steps_or_whole_minutes() -> None:
    stairs = Phase.model_validate({"stairs": {"users": 2, "steps": 3, "each": "10s", "stop": {"p50": "1s"}}})
    found = windows(stairs, span(0, end_ns=30 * SECOND, outstanding=6))
    assert [(one.name, one.start_ns, one.level) for one in found] == [
        ("step 1", 0, 2.0),
        ("step 2", 10 * SECOND, 4.0),
        ("step 3", 20 * SECOND, 6.0),
    ]
    users = Phase.model_validate({"users": {"initial": 1, "for": "150s", "stop": {"p50": "1s"}}})
    ends_ns = [one.end_ns for one in windows(users, span(0, end_ns=150 * SECOND, outstanding=1))]
    assert ends_ns == [60 * SECOND, 120 * SECOND]


def test_a_window_has_the_ends_within_it_and_what_is_open_at_its_end() -> None:
    rows = ledger([0, 0, 0, 0, 0, 0, 1 * SECOND])
    tracker = Tracker(rows)
    for row in range(7):
        tracker.sent(row, row * SECOND)
    tracker.answered(0, 10 * SECOND - 1, Answered())  # before
    tracker.answered(1, 10 * SECOND, Answered())
    tracker.answered(2, 19 * SECOND, Answered(Outcome.FAILED, 424, "no"))
    tracker.rejected(3, 19 * SECOND, Rejected(400, "ThrottlingException"))
    tracker.unacknowledged(4, 19 * SECOND, Unacknowledged("read timeout"))
    tracker.answered(5, 20 * SECOND, Answered())  # after
    found = seen_in(rows, span(7), Window("step 2", 10 * SECOND, 20 * SECOND))
    assert (found.latencies_s.tolist(), found.n_bad, found.ages_s.tolist(), found.n_sent) == ([10.0], 3, [19.0], 0)
    assert seen_in(rows, span(7), Window("step 1", 0, 10 * SECOND)).n_sent == 7


DURATIONS = st.lists(st.floats(0.0, 100.0), max_size=30)
PARTS = st.lists(st.tuples(DURATIONS, st.integers(0, 20), DURATIONS, st.integers(0, 50)), min_size=1, max_size=4)
STOPS = st.fixed_dictionaries(
    {}, optional={"p95": st.just("20s"), "errors": st.just("20%"), "invocations_per_minute": st.integers(1, 150)}
).filter(bool)


@pytest.mark.slow
@given(PARTS, STOPS, st.data())
def test_what_workers_saw_of_a_window_is_judged_as_what_one_worker_would_have_seen(
    parts: list[tuple[list[float], int, list[float], int]], stop: dict[str, Any], data: st.DataObject
) -> None:
    phase = Phase.model_validate({"users": {"initial": 1, "for": "5m", "stop": stop}})
    phases = [(phase, span(9, end_ns=300 * SECOND, outstanding=1))]
    each = [seen(*latencies, n_bad=n_bad, ages_s=tuple(ages), n_sent=n) for latencies, n_bad, ages, n in parts]
    whole = Seen(
        sum(one.n_sent for one in each),
        np.sort(np.concatenate([one.latencies_s for one in each])),
        sum(one.n_bad for one in each),
        np.concatenate([one.ages_s for one in each]),
    )
    shared = Jury(phases, len(each))
    order = data.draw(st.permutations(range(len(each))))
    reasons = [shared.reason(worker, SeenWindow(0, 0, each[worker])) for worker in order]
    assert reasons[:-1] == [""] * (len(each) - 1)  # nothing is judged before all have said it
    assert reasons[-1] == Jury(phases, 1).reason(0, SeenWindow(0, 0, whole))


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ({"users": {"initial": 1, "for": "5m", "stop": {}}}, "names no condition"),
        ({"users": {"initial": 1, "for": "5m", "stop": {"flat": "5%"}}}, "use stairs"),
        ({"steps": {"rates": [2, 2], "each": "1m", "stop": {"flat": "5%"}}}, "rise with each step"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused(phase: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Phase.model_validate(phase)
