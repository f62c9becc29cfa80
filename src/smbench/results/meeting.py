"""Shards of an order that begin together: each says that it is ready, and one of them writes down when all begin.

Nobody leads. Whoever finds that all are ready, or that those who are not will not come, makes the one file that says
the instant; it can be made only once, so all read the same.
"""

from smbench.errors import ResultsError
from smbench.records import Ending
from smbench.results.place import Place
from smbench.results.shards import ShardFiles

GO = "go"
_LEAD_S = 5.0  # all look once a second, and S3 may be slow
_PATIENCE_S = 1200.0  # from when this shard was ready; then it goes with those that are


class Meeting:
    """One shard's look at the others.

    Args:
        n_shards: Of the order.
        head_start_s: What this shard needs between the instant being known and its time zero.
    """

    def __init__(self, place: Place, n_shards: int, head_start_s: float = 0.0) -> None:
        self._place, self._lead_s = place, _LEAD_S + head_start_s
        self._waiting_for = list(range(n_shards))
        self._since_ns: int | None = None
        self.left_out: tuple[int, ...] = ()  # whom it waited for in vain; empty where another agreed first

    def agreed_ns(self) -> int | None:
        """Scenario time zero of all shards, UTC nanoseconds; None: not yet agreed.

        Raises:
            ResultsError: the place cannot be read.
        """
        content = self._place.read(GO)
        try:
            return None if content is None else int(content)
        except ValueError as error:
            raise ResultsError(f"{self._place}/{GO} is damaged") from error

    def look(self, now_ns: int) -> int | None:
        """As `agreed_ns`, for a shard that is ready itself: agrees where nothing more is to be waited for.

        It reads the state of one shard that was not ready, and of the next only once it is.

        Raises:
            ResultsError: the place cannot be read.
            DiskError: it cannot be written.
        """
        self._since_ns = now_ns if self._since_ns is None else self._since_ns
        if (agreed_ns := self.agreed_ns()) is not None:
            return agreed_ns
        while self._waiting_for and self._need_not_wait(self._waiting_for[0]):
            self._waiting_for.pop(0)
        if self._waiting_for and now_ns - self._since_ns < _PATIENCE_S * 1e9:
            return None
        self.left_out = tuple(self._waiting_for)
        go_ns = now_ns + round(self._lead_s * 1e9)
        if self._place.make(GO, str(go_ns - go_ns % 1000).encode()):
            self._place.let_go(GO)
        return self.agreed_ns()

    def _need_not_wait(self, shard: int) -> bool:
        """It is ready, or ended before it was."""
        state = ShardFiles(self._place, shard).read()
        return state is not None and (state.is_ready or state.ending is not Ending.RUNNING)
