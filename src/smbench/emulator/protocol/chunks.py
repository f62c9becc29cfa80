"""A reply in pieces: and the two ways in which a piece may never come."""

from collections.abc import Callable


class ResetConnection(Exception):  # noqa: N818  # a planned fault, not an error of the program
    """Raised by a handler: the client gets a TCP reset in place of an answer."""


class NoAnswer(Exception):  # noqa: N818  # as above
    """Raised by an emulated service: its client waits on an open connection, for as long as it likes."""


class Chunks:
    """A body that comes piece by piece; its connection takes what there is when the reply begins, and then each.

    `before` is called before each piece and the end; once it raises ResetConnection or NoAnswer, nothing more passes.
    """

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._write: Callable[[bytes], None] | None = None
        self._over: Callable[[bool], None] | None = None
        self._is_whole: bool | None = None  # None: more is to come
        self._is_left = False  # the connection gets nothing more
        self.before: Callable[[], None] = lambda: None

    @property
    def is_over(self) -> bool:
        """Nothing more comes."""
        return self._is_whole is not None

    def put(self, data: bytes) -> None:
        """The next piece, which is not empty."""
        if self._write is None:
            self._kept.append(data)
        elif self._passes():
            self._write(data)

    def end(self, *, is_whole: bool = True) -> None:
        """That was all; or the connection breaks off here."""
        self._is_whole = is_whole
        if self._over is not None and self._passes():
            self._is_left = True
            self._over(is_whole)

    def _passes(self) -> bool:
        if self._is_left:
            return False
        try:
            self.before()
        except (ResetConnection, NoAnswer) as loss:
            self._is_left = True
            if isinstance(loss, ResetConnection) and self._over is not None:
                self._over(False)
        return not self._is_left

    def attach(self, write: Callable[[bytes], None], over: Callable[[bool], None]) -> None:
        """The reply has begun: what came is written, and what comes will be."""
        self._write, self._over = write, over
        for data in self._kept:
            write(data)
        self._kept.clear()
        if self._is_whole is not None:
            over(self._is_whole)
