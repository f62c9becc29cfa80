"""Goal: a number on the moving screen never says more or less than it is. Method: the edges of every format by hand,
and for charts the laws that a reader relies on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.view.live import figures
from smbench.view.live.charts import ASCII, BLOCKS, Glyphs, bar, columns, glyphs_for
from smbench.view.live.history import History

SECOND = 1_000_000_000
GLYPHS = st.sampled_from([BLOCKS, ASCII])
HEIGHTS = st.lists(st.just(0.0) | st.floats(1e-3, 1e6), max_size=40)


@pytest.mark.parametrize(
    ("hertz", "text"),
    [
        (None, "-"),
        (0, "0/s"),
        (0.004, "0.00/s"),
        (3, "3.00/s"),
        (9.996, "10.0/s"),
        (99.96, "100/s"),
        (1234.6, "1,235/s"),
    ],
)
def test_rates_are_per_second_whatever_their_size(hertz: float | None, text: str) -> None:
    assert figures.hertz(hertz) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.996, "99 %"), (1, "100 %"), (1.4, "140 %")]
)
def test_only_nothing_reads_as_nothing_and_only_all_as_all(share: float, text: str) -> None:
    assert figures.percent(share) == text


@pytest.mark.parametrize(
    ("value_s", "text"), [(-0.2, "00:00:00"), (59.99, "00:00:59"), (3600, "01:00:00"), (360_000, "100:00:00")]
)
def test_the_stopwatch_drops_what_has_not_passed(value_s: float, text: str) -> None:
    assert figures.stopwatch(value_s) == text


def test_an_absent_duration_is_a_dash() -> None:
    assert figures.seconds(None) == "-"


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.integers(1, 200), GLYPHS)
def test_a_bar_is_as_wide_as_told_and_full_only_when_all_is_done(done: float, width: int, glyphs: Glyphs) -> None:
    drawn = bar(done, width, glyphs)
    assert len(drawn) == width
    assert (drawn == glyphs.full * width) == (done == 1.0)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(HEIGHTS, st.integers(1, 12), GLYPHS)
def test_every_value_but_zero_leaves_a_mark_and_the_highest_fills_its_column(
    values: list[float], rows: int, glyphs: Glyphs
) -> None:
    top = max(values, default=0.0)
    chart = columns(values, rows, top, glyphs)
    assert [len(line) for line in chart] == [len(values)] * rows
    for column, value in enumerate(values):
        cells = [line[column] for line in chart]
        assert (set(cells) == {" "}) == (value == 0)
        if value == top > 0:
            assert set(cells) == {glyphs.levels[-1]}
        assert cells == sorted(cells, key=(" " + glyphs.levels).index)  # nothing hangs in the air


def test_a_column_is_as_high_as_its_share_of_the_top() -> None:
    # Two rows of eight levels: 16 is the top, so 4 is half of the lower row and 10 two levels into the upper.
    assert columns([4, 8, 10, 16], 2, 16, BLOCKS) == ["  ▂█", "▄███"]


@pytest.mark.parametrize(
    ("encoding", "glyphs"), [("utf-8", BLOCKS), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("no-such", ASCII)]
)
def test_blocks_are_drawn_only_where_the_stream_can_carry_them(encoding: str | None, glyphs: Glyphs) -> None:
    assert glyphs_for(encoding) is glyphs


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**14), st.floats(0.1, 1e6)), min_size=1, max_size=60), st.integers(1, 300))
def test_a_course_never_loses_its_highest_value_however_long_the_run(
    told: list[tuple[int, float]], n_columns: int
) -> None:
    course = History()
    for at_ns, value in told:
        course.record(at_ns, value)
    drawn = course.columns(n_columns, max(at_ns for at_ns, _ in told))
    assert len(drawn) == n_columns
    assert max(drawn) == max(value for _, value in told)


def test_a_course_holds_its_value_until_it_is_told_another() -> None:
    course = History()
    for second, value in ((0, 1.0), (6, 4.0), (8, 2.0)):
        course.record(second * SECOND, value)
    # Ten columns of a second: each shows the highest of its second.
    assert course.columns(10, 10 * SECOND - 1) == [1, 1, 1, 1, 1, 1, 4, 4, 2, 2]


def test_a_short_peak_is_still_there_when_time_has_been_folded_many_times() -> None:
    course = History()
    for quarter in range(20):
        course.record(quarter * SECOND // 4, 9.0 if quarter == 7 else 1.0)
    course.record(3600 * SECOND, 1.0)
    assert course.columns(100, 3600 * SECOND)[0] == 9.0


def test_a_course_is_zero_before_its_first_value_and_before_time_begins() -> None:
    course = History()
    assert course.columns(3, SECOND) == [0, 0, 0]
    course.record(8 * SECOND, 5.0)
    assert course.columns(5, 10 * SECOND - 1) == [0, 0, 0, 0, 5]
    assert course.columns(2, -SECOND) == [0, 0]
