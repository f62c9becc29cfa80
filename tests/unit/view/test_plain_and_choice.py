"""Goal: a log gets lines, a terminal a screen, and neither breaks a run. Method: streams and clocks of our own."""

import io
from dataclasses import replace

import pytest

from live_story import HEADER, SECOND, Scene, story
from smbench.records import Event, Outcome, Stage
from smbench.snapshot import Snapshot
from smbench.view.live.choose import NoView, choose_view
from smbench.view.live.plain_lines import PlainView
from smbench.view.live.state import LiveState
from smbench.view.live.terminal import LiveView


class Terminal(io.StringIO):
    """A stream that says it is a terminal, of an encoding with blocks."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    """A terminal or a pipe that nobody reads any more."""

    def __init__(self, error: type[OSError]) -> None:
        super().__init__()
        self.error, self.n_tries = error, 0

    def write(self, _text: str) -> int:
        self.n_tries += 1
        raise self.error


class Watch:
    """Real time, moved by hand."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def lines_of(scenes: list[Scene], *, step_ns: int = SECOND) -> list[str]:
    stream, watch, state = io.StringIO(), Watch(), LiveState(HEADER)
    with PlainView(stream, now_ns=watch) as view:
        for scene in scenes:
            state.update([scene.snapshot])
            state.read(scene.readings, scene.events)
            view.show(state)
            watch.now_ns += step_ns
    return stream.getvalue().splitlines()


def test_a_line_comes_every_five_real_seconds_whatever_the_pace_of_news() -> None:
    scenes = [Scene(Snapshot(0, at * SECOND, at, Stage.SENDING, n_sent=at)) for at in range(21)]
    sent = [line for line in lines_of(scenes) if " sent " in line]
    assert [line.split()[2] for line in sent] == ["5", "10", "15", "20"]
    assert [line for line in lines_of(scenes, step_ns=SECOND // 10) if " sent " in line] == []


@pytest.mark.slow
def test_the_story_is_told_in_lines_of_its_own() -> None:
    told = lines_of(list(story()), step_ns=0)
    assert told == [
        "wake-from-zero: 3,800 requests in 2 phases over 10 m 10 s to the emulated endpoint",
        "results: results/wake-from-zero-20261121T031200Z",
        "00:00:00 phase 1 of 2, burst: 2,000 requests within 10 s",
        "00:00:10 phase 2 of 2, poisson: 3/s for 10 m",
        "00:03:01 alarm at 00:03:00: OK -> ALARM, AlarmHigh of target tracking",
        "00:03:06 scaling at 00:03:05: -> 1, InProgress, by policy backlog",
        "00:03:10 capacity at 00:03:10: 0 -> 3, Updating",
        "00:06:02 scaling at 00:03:05: -> 3, Successful, by policy backlog",
        "00:10:10 draining",
        "00:16:01 alarm at 00:16:00: ALARM -> OK, AlarmHigh of target tracking",
        "00:16:31 done",
        "00:16:31 sent 3,800 of 3,800 | offered 0/s achieved 0/s completed 5.64/s | completed 3,788, rejected 12 "
        "| 0 open | sojourn p50 8 m 43 s p99 11 m 17 s | instances 3 of 3 wanted",
    ]


def test_the_time_at_the_head_of_a_line_never_goes_back() -> None:
    """In warp time a picture is minutes later than the one before, and what was seen between them comes with it."""
    early, late = (Event("alarm", name, 60 * SECOND, 90 * SECOND, "OK -> ALARM") for name in ("early", "late"))
    scenes = [
        Scene(Snapshot(0, 0, 0.0, Stage.SENDING)),
        Scene(Snapshot(0, 120 * SECOND, 0.1, Stage.DRAINING), events=[early]),
        Scene(Snapshot(0, 121 * SECOND, 0.2, Stage.DONE), events=[late]),
    ]
    told = [line for line in lines_of(scenes) if "alarm" in line or "draining" in line]
    assert told == [
        "00:01:30 alarm at 00:01:00: OK -> ALARM, early",
        "00:02:00 draining",
        "00:02:00 alarm at 00:01:00: OK -> ALARM, late",
    ]


def test_every_kind_of_end_is_counted_under_its_name() -> None:
    outcomes = {
        Outcome.COMPLETED: 5,
        Outcome.TRANSPORT_ERROR: 2,
        Outcome.FAILED: 1,
        Outcome.LOST: 1,
        Outcome.PENDING: 2,
    }
    (line,) = (one for one in lines_of([Scene(Snapshot(0, 0, 0.0, Stage.DONE, outcomes=outcomes))]) if "|" in one)
    assert "| completed 5, transport error 2, failed 1 | 3 open |" in line


def test_a_run_that_is_over_is_summed_up_once() -> None:
    done = [Scene(Snapshot(0, at * SECOND, at, Stage.DONE, n_sent=3)) for at in (7, 8, 9)]
    assert len([line for line in lines_of(done, step_ns=5 * SECOND) if " sent " in line]) == 1


def test_lines_are_ascii_without_control_codes_whatever_a_service_says() -> None:
    rude = Event("alarm", "\x1b[2J\rhigh\nlow é", 0, SECOND, "OK -> ALARM")
    told = lines_of([Scene(Snapshot(0, SECOND, 1.0, Stage.SENDING), events=[rude])])
    assert told[-1] == "00:00:01 alarm at 00:00:00: OK -> ALARM, [2J high low ?"
    assert all(line.isascii() and line.isprintable() for line in told)


def test_trouble_is_told_once_though_its_figures_change() -> None:
    scenes = [Scene(Snapshot(0, at * SECOND, at, Stage.SENDING, n_in_flight=900 + at)) for at in range(9)]
    stream, state = io.StringIO(), LiveState(replace(HEADER, in_flight_limit=1000))
    view = PlainView(stream, now_ns=Watch())
    for scene in scenes:
        state.update([scene.snapshot])
        view.show(state)
    # In warp time the in-flight limit is still a limit: a drop is a drop.
    assert stream.getvalue().count("warning: ") == 1


def test_the_preparations_are_told() -> None:
    stream, state = io.StringIO(), LiveState(HEADER)
    view = PlainView(stream, now_ns=Watch())
    for text in ("making the queue", "making the queue", "uploading the inputs"):
        state.preparing(text)
        view.show(state)
    state.update([Snapshot(0, SECOND, 1.0, Stage.DRAINING)])
    view.show(state)
    _, *told, results, draining = stream.getvalue().splitlines()
    assert told == ["making the queue", "uploading the inputs"]
    assert results.startswith("results: ")  # not before it has begun: a refusal leaves no folder
    assert draining == "00:00:01 draining"


def test_a_line_of_a_drain_without_a_backlog_says_what_is_waited_for() -> None:
    waiting = Snapshot(0, 700 * SECOND, 700.0, Stage.DRAINING, outcomes={Outcome.TRANSPORT_ERROR: 3})
    later = replace(waiting, at_ns=710 * SECOND)
    (line,) = [one for one in lines_of([Scene(waiting), Scene(later)], step_ns=5 * SECOND) if " sent " in one]
    assert "| backlog 0 | 3 without an answer may still get a notice |" in line
    over = lines_of([Scene(replace(waiting, stage=Stage.DONE))])
    assert "sent " in over[-1]
    assert "notice" not in over[-1]


@pytest.mark.parametrize("error", [BrokenPipeError, OSError])
def test_a_reader_that_is_gone_ends_no_run_and_is_not_written_to_again(error: type[OSError]) -> None:
    gone, state = Gone(error), LiveState(HEADER)
    plain = PlainView(gone, now_ns=Watch())
    for text in ("one", "two"):
        state.preparing(text)
        plain.show(state)
    assert gone.n_tries == 1
    gone, watch = Gone(error), Watch()
    with LiveView(gone, now_ns=watch) as live:
        for _ in range(9):
            live.show(state)
            watch.now_ns += SECOND
    assert gone.n_tries <= 4  # its start and its end, each also giving back the cursor


def test_frames_are_never_closer_than_a_quarter_of_a_second_on_average() -> None:
    terminal, watch, state = Terminal(), Watch(), LiveState(HEADER)
    with LiveView(terminal, now_ns=watch) as view:
        for _ in range(200):  # news every 50 ms for 10 s
            view.show(state)
            watch.now_ns += SECOND // 20
    assert terminal.getvalue().count("\x1b[H") - 1 == 40


def test_news_that_jitters_about_the_frames_pace_is_drawn_every_time() -> None:
    terminal, watch, state = Terminal(), Watch(), LiveState(HEADER)
    with LiveView(terminal, now_ns=watch) as view:
        for number in range(40):
            watch.now_ns = number * SECOND // 4 + (SECOND // 50 if number % 2 else 0)
            view.show(state)
    assert terminal.getvalue().count("\x1b[H") - 1 == 40


def test_the_screen_is_given_back_once_however_it_ends() -> None:
    terminal, state = Terminal(), LiveState(HEADER)

    def interrupted() -> None:
        with LiveView(terminal) as view:
            view.show(state)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    drawn = terminal.getvalue()
    assert drawn.count("\x1b[?1049h") == drawn.count("\x1b[?1049l") == 1
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")
    view = LiveView(terminal)
    view.close()
    view.close()
    assert terminal.getvalue() == drawn


TTY, PIPE = Terminal, io.StringIO


@pytest.mark.parametrize(
    ("ui", "stream", "environ", "view"),
    [
        ("auto", TTY, {}, LiveView),
        ("auto", TTY, {"TERM": "xterm-256color"}, LiveView),
        ("auto", PIPE, {}, PlainView),
        ("auto", PIPE, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "1"}, PlainView),
        ("auto", TTY, {"NO_COLOR": "1"}, PlainView),
        ("auto", TTY, {"NO_COLOR": ""}, LiveView),
        ("auto", TTY, {"CI": "true"}, PlainView),
        ("auto", TTY, {"CI": "false"}, LiveView),
        ("auto", TTY, {"TERM": "dumb"}, PlainView),
        ("full", TTY, {"NO_COLOR": "1", "CI": "true"}, LiveView),
        ("full", TTY, {"TERM": "dumb"}, PlainView),
        ("full", PIPE, {"FORCE_COLOR": "1"}, PlainView),
        ("plain", TTY, {}, PlainView),
        ("none", TTY, {}, NoView),
    ],
)
def test_the_screen_is_for_a_terminal_that_a_person_watches(
    ui: str, stream: type[io.StringIO], environ: dict[str, str], view: type
) -> None:
    assert type(choose_view(ui, stream(), environ)) is view


def test_the_screen_has_no_colour_where_none_is_wanted() -> None:
    terminal, state = Terminal(), LiveState(HEADER)
    state.update([Snapshot(0, SECOND, 1.0, Stage.SENDING)])
    with choose_view("full", terminal, {"NO_COLOR": "1"}) as view:
        view.show(state)
    assert "Backlog" in terminal.getvalue()
    assert "\x1b[3" not in terminal.getvalue()


def test_no_view_writes_nothing() -> None:
    stream = Terminal()
    with choose_view("none", stream, {}) as view:
        view.show(LiveState(HEADER))
    assert stream.getvalue() == ""


def test_progress_has_per_cent_speed_and_the_time_left_until_the_last_send() -> None:
    """61 of 610 s of the schedule in half a second: 122 times as fast, and the other 549 s take 4.5 s."""
    scenes = [Scene(Snapshot(0, at * SECOND, at / 122, Stage.SENDING)) for at in (0, 61)]
    (line,) = [line for line in lines_of(scenes, step_ns=5 * SECOND) if " sent " in line]
    assert " | 10 % of the schedule, 122 x real time, 4.00 s left until the last send | " in line


def test_after_the_last_send_there_is_no_progress_to_speak_of() -> None:
    scenes = [Scene(Snapshot(0, at * SECOND, float(at), Stage.DRAINING)) for at in (700, 800)]
    assert not [line for line in lines_of(scenes, step_ns=5 * SECOND) if "schedule" in line]


def test_a_schedule_whose_end_is_open_has_no_per_cent() -> None:
    state = LiveState(replace(HEADER, phases=(replace(HEADER.phases[0], end_ns=None),)))
    state.update([Snapshot(0, SECOND, 1.0, Stage.SENDING)])
    assert (state.progress, state.left_s) == (None, None)
