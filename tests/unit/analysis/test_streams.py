"""Goal: time to the first part and the gaps between parts are those that the closed form has, in every rendering.

Method: predictions of a real-time endpoint with one slot: of a burst, the i-th request has its first part when i others
were served whole and its own work is done.
"""

from typing import Any

import pytest

import smbench
from smbench.analysis.numbers.bounds import Bounded
from smbench.errors import UsageError
from smbench.scenario.thresholds import parse_threshold
from smbench.sweeping.demands import demands_of

WORK_S, GAP_S, PARTS, N = 0.5, 0.05, 9, 6
WHOLE_S = WORK_S + (PARTS - 1) * GAP_S
FIRSTS_S = [place * WHOLE_S + WORK_S for place in range(N)]


def predicted(emulated: dict[str, Any] | None = None, **own: Any) -> smbench.Run:
    settings = {"instances": {"min": 1}, "service": f"{WORK_S}s", "stream": {"parts": PARTS, "gap": f"{GAP_S}s"}}
    return smbench.simulate(
        {
            "name": "streamed",
            "target": {"kind": "realtime", "emulated": settings | (emulated or {})},
            "request": {"stream": True},
            "load": [{"burst": {"requests": N}}],
        }
        | own
    )


def value(figure: Bounded | None) -> float | None:
    return None if figure is None else figure.value


def test_a_burst_on_one_slot_has_first_parts_and_gaps_of_the_closed_form() -> None:
    run = predicted(
        thresholds=["first_part_max < 6s", f"first_part_p50 <= {FIRSTS_S[2] + 1e-6}s", "first_part_p50 < 1s"]
    )
    found = run.summary.streams
    assert found is not None
    assert (found.n, found.n_parts, found.parts_p50, found.parts_max) == (N, N * PARTS, PARTS, PARTS)
    assert found.to_first.n == N
    assert [value(one) for one in (found.to_first.p50, found.to_first.max)] == pytest.approx(
        [FIRSTS_S[2], FIRSTS_S[-1]]
    )
    assert [value(one) for one in (found.gap_mean.max, found.gap_max.p50)] == pytest.approx([GAP_S, GAP_S])
    assert found.gap_of_all_s == pytest.approx(GAP_S)
    assert value(run.summary.sojourn.max) == pytest.approx(N * WHOLE_S)
    assert [one.passed for one in run.thresholds] == [True, None, False]  # six are too few to meet a median
    assert run.thresholds[1].low == pytest.approx(FIRSTS_S[2])


@pytest.mark.slow
def test_the_report_has_the_streams_in_text_markdown_and_json() -> None:
    run = predicted()
    assert "6 streams of 54 parts, 50.0 ms apart on average; a stream has 9 (p50) to 9 (max)." in str(run)
    assert all("first part, from schedule" in text for text in (str(run), run.to_markdown()))
    assert run.to_json()["summary"]["streams"]["to_first"]["p50"]["low"] == pytest.approx(FIRSTS_S[2])


def test_who_never_had_a_first_part_counts_as_longer_than_was_watched() -> None:
    run = predicted({"faults": {"container_errors": 1.0}}, thresholds=["first_part_p95 < 1h"])
    assert run.summary.streams is None
    assert [one.passed for one in run.thresholds] == [False]


def test_a_stream_that_broke_has_its_first_part_and_its_gaps_but_no_latency() -> None:
    run = predicted({"stream": {"parts": 4, "gap": "3m"}}, load=[{"burst": {"requests": 1}}])
    found, sojourn = run.summary.streams, run.summary.sojourn
    assert found is not None
    assert (found.to_first.n_never, value(found.to_first.max)) == (0, 0.5)
    assert found.parts_max == 3
    assert sojourn.n_never == 1
    (cause,) = run.summary.causes
    assert cause.error.startswith("ModelStreamError ModelInvocationTimeExceeded: ")
    assert cause.status_code == 200


def test_a_run_without_streams_knows_no_first_part() -> None:
    run = smbench.simulate({"name": "plain", "load": [{"burst": {"requests": 2}}]})
    assert run.summary.streams is None
    rows = run.requests.collect()
    assert rows["parts"].null_count() == rows["first_part"].null_count() == rows.height
    assert "Streams" not in str(run)


def test_a_search_takes_a_first_part_that_is_late_or_missing_for_a_miss() -> None:
    frames = predicted().frames
    (demand, *_) = demands_of([f"first_part_p95 < {FIRSTS_S[3] - 1e-6}s"], "realtime", in_stream=True)
    least, most = demand.missed(frames)
    assert least.to_list() == most.to_list() == [0.0] * 3 + [1.0] * 3
    with pytest.raises(UsageError, match="answers of this scenario do not come in a stream"):
        demands_of(["first_part_p95 < 1s"], "realtime")


def test_a_first_part_is_a_latency_with_any_percentile() -> None:
    threshold = parse_threshold("first_part_p99.9 <= 300ms")
    assert (threshold.of, threshold.unit, threshold.value) == ("first_part", "s", 0.3)
