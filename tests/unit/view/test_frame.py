"""Goal: who watches a run from another process sees what its own terminal would show.

Method: an invented run at several instants; the screen drawn from the state, and from the state that a frame carried.
"""

import msgspec
import pytest

import live_story
from smbench.records import Event
from smbench.view.live.frame import frame_bytes, state_from
from smbench.view.live.plain_lines import PlainView
from smbench.view.live.screen import render


@pytest.mark.slow
@pytest.mark.parametrize("second", [0, 5, 190, 800, 2000])
def test_a_state_that_came_as_a_frame_draws_the_same_screen(second: int) -> None:
    state = live_story.state_at(second)
    came = state_from(frame_bytes(state), state.header.results)
    lines, drawn = ([line.plain for line in render(one, 100, 40).lines] for one in (state, came))
    assert drawn[:-1] == lines[:-1]
    if "Ctrl-C" in lines[-1]:  # which leaves a watched run alone
        assert drawn[-1].startswith(" Ctrl-C: leave, the run goes on")
    else:
        assert drawn[-1] == lines[-1]


@pytest.mark.slow
def test_the_viewer_s_own_name_of_the_folder_is_shown() -> None:
    came = state_from(frame_bytes(live_story.state_at(5)), "../elsewhere")
    assert came.header.results == "../elsewhere"


@pytest.mark.slow
def test_what_aws_sent_with_an_event_may_hold_anything() -> None:
    state = live_story.state_at(5)
    state.read([], [Event("alarm", "a", 1, 2, detail={"odd": PlainView})])
    assert state_from(frame_bytes(state), "x").events[-1].name == "a"


@pytest.mark.parametrize("text", [b"", b"not a frame", msgspec.msgpack.encode({"header": 1})])
def test_what_is_no_frame_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # msgspec's own, which says what is wrong
        state_from(text, "x")
