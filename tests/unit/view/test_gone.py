"""A terminal or a reader that goes away changes nothing of how a run ends, whenever it goes."""

import errno
import io
import os

import pytest

from live_story import state_at
from smbench.view.live.gone import let_go
from smbench.view.live.state import LiveState
from smbench.view.live.terminal import LiveView


def test_what_a_closed_pipe_did_not_take_does_not_fail_again_at_the_end() -> None:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    os.close(reader)
    stream.write("a line\n")
    with pytest.raises(BrokenPipeError):
        stream.flush()
    let_go(stream)
    stream.write("and another\n")
    stream.close()


def test_a_descriptor_that_has_another_end_by_now_keeps_it() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        stream.write("a line\n")
        let_go(stream)
    assert os.read(reader, 100) == b"a line\n"
    os.close(reader)


class Terminal(io.StringIO):
    """Takes so many texts, fails once, and then takes what goes nowhere, as a descriptor does that was let go."""

    encoding = "utf-8"

    def __init__(self, n_taken: int) -> None:
        super().__init__()
        self.n_left = n_taken

    def write(self, text: str) -> int:
        self.n_left -= 1
        if self.n_left == -1:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


@pytest.fixture(scope="module")
def states() -> list[LiveState]:
    """The same run at three instants; to show a state changes nothing of it."""
    return [state_at(second) for second in (10, 200, 400)]


@pytest.mark.slow
@pytest.mark.parametrize("n_taken", range(8))
def test_a_terminal_may_go_at_any_text(n_taken: int, states: list[LiveState]) -> None:
    with LiveView(Terminal(n_taken), now_ns=iter(range(0, 10**12, 10**9)).__next__) as view:
        for state in states:
            view.show(state)
    view.close()
