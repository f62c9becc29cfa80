"""Goal: on a real terminal the live view draws, follows a resize, and always gives the terminal back; in a pipe it is
quiet. Method: an invented run (`live_story.py`) in a process of its own on a pseudo-terminal, read by a terminal
emulator; without a pace every scene is a frame, so nothing depends on how fast this machine is."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

import live_story
from smbench.view.live.screen import render

pytestmark = pytest.mark.slow

STORY = Path(live_story.__file__)
DRAINS = ("--until", "620")  # the load ends at 610 s
ENTER, LEAVE, SHOW_CURSOR, HOME = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[H"


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would decide the view."""
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return kept | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | more


def resize(terminal: int, width: int, height: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


@contextmanager
def on_terminal(
    *arguments: str, width: int = 80, height: int = 24, environ: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The story's process, and our end of its terminal."""
    ours, theirs = pty.openpty()
    resize(ours, width, height)
    command = [sys.executable, str(STORY), *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ or environment())
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_to_end(terminal: int) -> bytes:
    """All that is written until the other end is closed, which Linux tells by an error."""
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def read_until(terminal: int, mark: bytes, times: int = 1) -> bytes:
    drawn = b""
    while drawn.count(mark) < times:
        drawn += os.read(terminal, 4096)
    return drawn


def frames(drawn: bytes) -> list[bytes]:
    """What was drawn between entering and leaving the other screen, frame by frame."""
    return drawn.partition(ENTER)[2].partition(LEAVE)[0].split(HOME)[1:]


def seen(drawn: bytes, width: int, height: int) -> list[str]:
    screen = pyte.Screen(width, height)
    pyte.ByteStream(screen).feed(drawn)
    lines: list[str] = list(screen.display)
    return lines


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 10)])
def test_the_screen_is_drawn_and_then_given_back(width: int, height: int) -> None:
    with on_terminal("--until", "400", width=width, height=height) as (process, terminal):
        drawn = read_to_end(terminal)
        assert process.wait() == 0
    assert drawn.count(ENTER) == drawn.count(LEAVE) == 1
    assert drawn.index(SHOW_CURSOR) > drawn.rindex(HOME)
    last = frames(drawn)[-1]
    assert last.count(b"\n") == height - 1
    state = live_story.state_at(400)  # instances have come, and what scaled them is told
    expected = [line.plain.rstrip() for line in render(state, width, height).lines]
    assert [line.rstrip() for line in seen(last, width, height)] == expected


def test_the_next_frame_after_a_resize_fits() -> None:
    with on_terminal() as (_process, terminal):
        drawn = read_until(terminal, HOME, times=3)
        resize(terminal, 40, 10)
        drawn += read_to_end(terminal)
    assert frames(drawn)[1].count(b"\n") >= 23
    last = frames(drawn)[-1]
    assert last.count(b"\n") == 9
    assert max(len(line.rstrip()) for line in seen(last, 80, 24)) <= 40


def test_an_interrupt_gives_the_terminal_back() -> None:
    with on_terminal("--pace", "0.01", "--hold", "60") as (process, terminal):
        drawn = read_until(terminal, HOME, times=2)
        process.send_signal(signal.SIGINT)
        drawn += read_to_end(terminal)
    assert drawn.count(LEAVE) == 1
    assert drawn.rindex(SHOW_CURSOR) > drawn.rindex(HOME)
    assert b"KeyboardInterrupt" in drawn.partition(LEAVE)[2]  # words of the end stand on the normal screen


def test_a_terminal_that_is_closed_does_not_end_the_run(tmp_path: Path) -> None:
    over = tmp_path / "over"
    ours, theirs = pty.openpty()
    command = f'"{sys.executable}" "{STORY}" --ui full; echo $? > "{over}"'
    process = subprocess.Popen(["sh", "-c", command], stderr=theirs, env=environment())
    os.close(theirs)
    read_until(ours, HOME)
    os.close(ours)
    process.wait()
    assert over.read_text().strip() == "0"


def test_a_pipe_gets_plain_lines_even_where_colour_is_forced() -> None:
    environ = environment(FORCE_COLOR="1", TTY_INTERACTIVE="1", TTY_COMPATIBLE="1")
    done = subprocess.run([sys.executable, str(STORY), *DRAINS], capture_output=True, env=environ, check=True)
    assert done.stdout == b""
    assert done.stderr.isascii()
    assert b"\x1b" not in done.stderr
    assert b"\r" not in done.stderr
    assert b"00:10:10 draining" in done.stderr


@pytest.mark.parametrize("variable", ["NO_COLOR", "CI"])
def test_a_terminal_nobody_watches_gets_plain_lines(variable: str) -> None:
    with on_terminal(*DRAINS, environ=environment(**{variable: "1"})) as (process, terminal):
        drawn = read_to_end(terminal)
        assert process.wait() == 0
    assert b"\x1b" not in drawn
    assert b"00:10:10 draining" in drawn


def test_a_terminal_without_blocks_gets_ascii() -> None:
    with on_terminal("--until", "300", environ=environment(PYTHONIOENCODING="ascii")) as (process, terminal):
        drawn = read_to_end(terminal)
        assert process.wait() == 0
    assert drawn.isascii()
    assert b"sending" in drawn
