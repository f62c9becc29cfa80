"""Goal: the live screen fits whatever terminal it is given and hides no bad news. Method: any size and any content by
hypothesis; single rows by reading them as a user would."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from histograms import record
from live_story import HEADER, SECOND, state_at
from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Reading, Stage
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.blocks import GUTTER
from smbench.view.live.charts import ASCII, BLOCKS, Glyphs
from smbench.view.live.screen import render
from smbench.view.live.sentences import remarks
from smbench.view.live.state import LiveState, RunHeader

REAL = replace(HEADER, time_kind=TimeKind.REAL)
ANYTHING = st.text(max_size=60)
COUNTS = st.integers(0, 10**7)


def screen(state: LiveState, width: int = 80, height: int = 24, glyphs: Glyphs = BLOCKS) -> list[str]:
    return [line.plain for line in render(state, width, height, glyphs).lines]


def row(state: LiveState, label: str, width: int = 80) -> str:
    return next(line for line in screen(state, width, 60) if line.strip().startswith(label))


def running(header: RunHeader = REAL, **facts: object) -> LiveState:
    state = LiveState(header)
    now = Snapshot(0, 60 * SECOND, 60.0, Stage.SENDING, phase="poisson", phase_index=1, n_scheduled=3800)
    for name, value in facts.items():
        setattr(now, name, value)
    state.update([now])
    return state


@st.composite
def states(draw: st.DrawFn) -> LiveState:
    """Any state that a run could be in, told by services that say anything."""
    header = replace(HEADER, target=draw(ANYTHING), results=draw(ANYTHING), time_kind=draw(st.sampled_from(TimeKind)))
    state = LiveState(replace(header, phases=header.phases[: draw(st.integers(0, 2))]))
    state.preparing(draw(ANYTHING))
    histogram = LogHistogram()
    for value_s in draw(st.lists(st.floats(0, 1e6), max_size=5)):
        record(histogram, value_s)
    at_ns = 0
    for _ in range(draw(st.integers(0, 3))):
        at_ns += draw(st.integers(1, 10**13))
        now = Snapshot(0, at_ns, 1.0, draw(st.sampled_from(Stage)), draw(ANYTHING), draw(st.integers(0, 1)))
        now.n_sent, now.n_accepted, now.backlog_seen, now.n_due = (draw(COUNTS) for _ in range(4))
        now.outcomes = {outcome: draw(COUNTS) for outcome in Outcome if outcome is not Outcome.PENDING}
        now.errors = draw(st.dictionaries(ANYTHING, COUNTS, max_size=3))
        now.sojourn = now.schedule_lag = histogram
        now.cpu_share, now.rss_bytes = draw(st.floats(0, 9)), draw(COUNTS)
        state.update([now])
        event = Event("scaling_activity", draw(ANYTHING), at_ns, at_ns, draw(ANYTHING), cause=draw(ANYTHING))
        state.read([Reading("endpoint", "instances_current", "value", 3.0, at_ns, at_ns)], [event])
    return state


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states(), st.integers(1, 220), st.integers(1, 60), st.sampled_from([BLOCKS, ASCII]))
def test_a_frame_has_the_size_it_was_given_and_moves_no_cursor(
    state: LiveState, width: int, height: int, glyphs: Glyphs
) -> None:
    lines = render(state, width, height, glyphs).lines
    assert len(lines) == height
    assert all(line.cell_len <= width for line in lines)
    assert all(character.isprintable() for line in lines for character in line.plain)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (120, 40)])
def test_one_screen_has_everything_a_user_looks_for(width: int, height: int) -> None:
    text = "\n".join(screen(state_at(400), width, height))
    for wanted in (
        *("wake-from-zero", "emulated endpoint", "warp time, 112 x real", "00:06:40 / 00:10:10"),
        *("sending", "phase 2 of 2, poisson", "3,173 of 3,800 due"),
        *("offered 3.00/s", "achieved 3.00/s", "completed 6.00/s"),
        *("accepted 3,1", "rejected 8", "ThrottlingException 8"),
        *("sojourn", "acknowledgement", "end to notice", "schedule lag", "p50", "p99"),
        *("Backlog", "peak 3,040", "oldest 6 m", "CloudWatch"),
        *("3 in service, 3 wanted", "AlarmHigh of target tracking", "-> 3, Successful", "0 -> 3, Updating"),
        *("in flight 12 of 1,000", "dropped 0", "Ctrl-C", "results/wake-from-zero-20261121T031200Z"),
    ):
        assert wanted in text, wanted


@pytest.mark.slow
def test_ascii_is_all_there_is_where_the_stream_has_no_blocks() -> None:
    for size in ((80, 24), (200, 50), (30, 10)):
        assert "\n".join(screen(state_at(400), *size, ASCII)).isascii()


def test_before_the_first_snapshot_it_says_what_is_being_prepared() -> None:
    state = LiveState(HEADER)
    state.preparing("uploading the inputs")
    assert "uploading the inputs" in "\n".join(screen(state))


def test_before_the_first_snapshot_the_length_of_the_run_is_said_to_its_last_word_on_a_narrow_terminal() -> None:
    state = LiveState(replace(HEADER, length="the run lasts 100 s to 21 m 40 s of scenario time; that takes 5 m 25 s"))
    lines = screen(state, 40, 12)
    assert state.header.length in " ".join(line.strip() for line in lines)


@pytest.mark.slow
def test_a_small_terminal_keeps_the_title_the_rates_and_the_backlog() -> None:
    text = "\n".join(screen(state_at(400), 40, 10))
    for wanted in ("wake-from-zero", "sending", "Rates", "Backlog", "Sent"):
        assert wanted in text


def test_a_row_that_is_too_narrow_leaves_numbers_out_and_never_cuts_one() -> None:
    state = running(n_sent=123_456, n_accepted=123_456, outcomes={Outcome.REJECTED: 77})
    for width in range(20, 100):
        sent = row(state, "Sent", width)
        assert not any(part.startswith("123") and part != "123,456" for part in sent.split()), sent


def test_the_only_cause_of_errors_is_cut_at_its_name_and_keeps_its_count() -> None:
    cause = "ThrottlingException: " + "the rate of requests is too high, " * 5
    errors = row(running(errors={cause: 4_321}), "Errors", 60)
    assert "ThrottlingException" in errors
    assert errors.rstrip().endswith("... 4,321")
    assert len(errors.rstrip()) < 60


def test_bad_counts_outlive_good_ones_in_a_narrow_row() -> None:
    state = running(n_sent=2000, n_accepted=1990, outcomes={Outcome.TRANSPORT_ERROR: 9, Outcome.REJECTED: 0})
    narrow = row(state, "Sent", 56)
    assert "transport errors 9" in narrow
    assert "rejected" not in narrow


def test_percentiles_of_nothing_are_dashes() -> None:
    assert row(running(), "sojourn").split()[-4:] == ["-", "-", "-", "-"]


def test_a_lag_of_zero_reads_as_below_the_smallest_bucket() -> None:
    lag = LogHistogram()
    record(lag, 0.0)
    assert row(running(schedule_lag=lag), "schedule lag").count("<10 us") == 4


def test_the_drain_shows_what_has_not_ended_and_how_long_it_waits() -> None:
    line = row(running(stage=Stage.DRAINING, n_accepted=200, backlog_seen=50), "draining", 100)
    assert "75 %" in line
    assert "50 of 200 have not ended" in line
    assert "waits at most 20 m" in line


def test_a_drain_without_a_backlog_says_what_it_waits_for() -> None:
    unanswered = {Outcome.TRANSPORT_ERROR: 30, Outcome.UNKNOWN: 7}
    line = row(running(stage=Stage.DRAINING, n_accepted=200, backlog_seen=0, outcomes=unanswered), "draining", 100)
    assert "37 without an answer may still get a notice, waits at most 20 m" in line
    still = row(running(stage=Stage.DRAINING, n_accepted=200, backlog_seen=1, outcomes=unanswered), "draining", 100)
    assert "1 of 200 have not ended" in still


def test_instances_are_wanted_until_they_are_there_and_old_news_says_its_age() -> None:
    state = running(at_ns=600 * SECOND)
    assert "not reported yet" in row(state, "Instances")
    for name, value in (("instances_current", 1.0), ("instances_desired", 4.0)):
        state.read([Reading("endpoint", name, "value", value, 300 * SECOND, 300 * SECOND)], [])
    assert "1 in service, 4 wanted   read 5 m ago" in row(state, "Instances")


def test_a_long_results_path_keeps_its_end() -> None:
    state = running(replace(REAL, results=f"/home/somebody/{'deep/' * 20}results/wake-from-zero-20261121T031200Z"))
    foot = screen(state)[-1]
    assert foot.startswith(" Ctrl-C: send no more, drain, report")
    assert foot.endswith("/wake-from-zero-20261121T031200Z")
    assert len(foot) <= 80


def test_the_planned_end_is_that_of_the_sending() -> None:
    assert screen(running())[0].endswith("00:01:00 / 00:10:10")
    assert screen(running(stage=Stage.DRAINING))[0].endswith("  00:01:00")


def test_a_chart_has_its_highest_value_and_zero_at_its_side_and_only_zero_while_nothing_is() -> None:
    def marks(state: LiveState) -> list[str]:
        lines = screen(state, 80, 40)
        first = next(place for place, line in enumerate(lines) if line.startswith(" Backlog")) + 1
        last = next(place for place, line in enumerate(lines) if line.startswith(" Instances"))
        return [line[:12].strip() for line in lines[first:last]]

    assert [mark for mark in marks(running()) if mark] == ["0"]
    told = marks(running(backlog_seen=1234))
    assert (told[0], told[-1]) == ("1,234", "0")


def test_notices_that_should_not_be_are_shown_only_when_there_are_any() -> None:
    assert "duplicate" not in row(running(), "Ended")
    assert "duplicate notices 4" in row(running(n_duplicates=4), "Ended", 120)


def lagging(value_s: float) -> LogHistogram:
    return record(LogHistogram(), value_s)


@pytest.mark.parametrize(
    ("facts", "seen", "advice"),
    [
        ({"schedule_lag": lagging(0.25)}, "requests go out late, p99 2", "lower the rate"),
        ({"n_dropped": 12}, "12 requests were not sent: 1,000 were in flight", "limits.in_flight"),
        ({"loop_lag_max_s": 0.8}, "stalled for 800 ms", "free the machine"),
        ({"cpu_share": 0.97}, "uses 97 % of its core", "near what it can send"),
        (
            {"receivers": 16, "receivers_max": 16, "receivers_saturated_s": 5.5},
            "16 receivers return full batches",
            "collector.receivers",
        ),
        ({"n_in_flight": 900}, "900 of 1,000 in flight", "limits.in_flight"),
    ],
)
def test_trouble_is_said_in_words_with_what_to_try(facts: dict[str, Any], seen: str, advice: str) -> None:
    text = "\n".join(screen(running(**facts), 140, 30))
    assert "▲" in text
    assert seen in text
    assert advice in text
    assert "keeps the schedule" not in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_trouble_is_told_to_its_last_word_where_the_screen_has_lines_left(width: int) -> None:
    state = running(schedule_lag=lagging(0.25))
    (remark,) = remarks(state)
    lines = screen(state, width, 40)
    first = next(place for place, line in enumerate(lines) if "▲" in line)
    told = " ".join(line.replace("▲", "").strip() for line in lines[first : first + 4])
    assert f"{remark.seen}; {remark.advice}" in told
    assert all(line.startswith(" " * (GUTTER - 2)) for line in lines[first : first + 2])


def test_a_healthy_generator_says_so() -> None:
    assert "keeps the schedule" in "\n".join(screen(running()))


def test_a_lag_that_is_small_beside_the_latency_to_be_measured_is_no_trouble() -> None:
    """Of a median of 60 s, 1 % is 600 ms."""
    slow = running(schedule_lag=lagging(0.25), sojourn=lagging(60.0))
    assert "keeps the schedule" in "\n".join(screen(slow))


def test_in_warp_time_the_generators_cost_means_nothing() -> None:
    text = "\n".join(screen(running(HEADER, cpu_share=1.0, loop_lag_max_s=3.0)))
    assert "cpu" not in text
    assert "exact" in text


@pytest.mark.parametrize("colour", [True, False])
def test_without_colour_the_same_is_said(colour: bool) -> None:
    console = Console(width=80, force_terminal=True, no_color=not colour, color_system="standard")
    with console.capture() as drawn:
        console.print(render(running(loop_lag_max_s=0.8), 80, 24))
    assert ("\x1b[31m" in drawn.get() or "\x1b[1;31m" in drawn.get()) is colour
    assert "▲" in drawn.get()


def test_what_was_dropped_is_said_once_not_also_that_it_may_be() -> None:
    text = "\n".join(screen(running(n_dropped=12, n_in_flight=1000), 140, 40))
    assert text.count("▲") == 1
