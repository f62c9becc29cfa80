"""How many receives should overlap, learnt from what the last ones brought; and whether even the most are too few.

Theory of operation. A receive brings at most ten messages and takes a while to come and go. When messages come faster
than the receivers can fetch them, every receive comes back full; so a full receive from each receiver in turn asks for
one more. A receiver whose whole long poll was in vain retires at once; and one retires when the others alone could have
carried what all brought, and would not have been full. The two do not undo each other: with one more than was full, the
others alone would be full. Where somebody waits for each end, a message must find a receiver waiting: two messages in a
receive show that one of them did not, and ask for one more, and only a long poll in vain retires.

Nothing here waits or reads a clock: the same answers give the same decisions.
"""

BATCH = 10  # SQS returns at most ten messages to one ReceiveMessage, and takes ten receipts in one DeleteMessageBatch
_FEWEST = 2  # while one receive is on its way, the other hears what comes
_ROUND = 4  # receives of each receiver, before one is found superfluous: the mean of fewer is mostly chance
_AMPLE = 0.9  # of full: what the others may be asked to carry
_NEARLY_ALL = 0.9  # a standard queue may return less than it holds, now and then


class Receivers:
    """Decides after each receive; the caller starts and ends the receivers.

    Args:
        receivers_max: The most that may overlap.
        is_prompt: Somebody waits for each end.
    """

    def __init__(self, receivers_max: int, *, is_prompt: bool = False) -> None:
        self.receivers_max, self.is_prompt = receivers_max, is_prompt
        self.n = self._fewest = min(_FEWEST, receivers_max)
        self._n_full_in_turn = 0
        self._round_receives = self._round_messages = 0
        self._beat_receives = self._beat_full = 0
        self._beat_first_full_ns: int | None = None
        self._last_full_ns = 0
        self._saturated_since_ns: int | None = None

    def came_back(self, n_messages: int, at_ns: int) -> int:
        """Take note of a receive; returns how many receivers should be added: 1, 0, or -1, which is the caller."""
        self._note_saturation(n_messages, at_ns)
        self._n_full_in_turn = self._n_full_in_turn + 1 if n_messages >= BATCH else 0
        self._round_receives += 1
        self._round_messages += n_messages
        if self.n < self.receivers_max and self._are_too_few(n_messages):
            return self._change(1)
        if self.n > self._fewest and self._are_too_many(n_messages):
            return self._change(-1)
        if self._round_receives >= _ROUND * self.n:
            self._round_receives = self._round_messages = 0
        return 0

    def _are_too_few(self, n_messages: int) -> bool:
        return n_messages > 1 if self.is_prompt else self._n_full_in_turn >= self.n

    def _are_too_many(self, n_messages: int) -> bool:
        if n_messages == 0:
            return True
        if self.is_prompt or self._round_receives < _ROUND * self.n:
            return False
        others = self._round_receives * (self.n - 1) / self.n
        return self._round_messages < _AMPLE * BATCH * others

    def _change(self, by: int) -> int:
        self.n += by
        self._n_full_in_turn = self._round_receives = self._round_messages = 0
        return by

    # ---- whether the most were enough -------------------------------------------------------------------------

    @property
    def saturated_s(self) -> float:
        """For how long, up to the last beat, all receivers were in use and nearly all receives came back full."""
        since_ns = self._saturated_since_ns
        return 0.0 if since_ns is None else (self._last_full_ns - since_ns) / 1e9

    def beat(self) -> float | None:
        """To be called about once a second: the share of receives since the last beat that came back full.

        None when none came back; then it is not known whether the queue holds more, and `saturated_s` does not change.
        """
        if not self._beat_receives:
            return None
        share = self._beat_full / self._beat_receives
        if self.n < self.receivers_max or share < _NEARLY_ALL:
            self._saturated_since_ns = None
        elif self._saturated_since_ns is None:
            self._saturated_since_ns = self._beat_first_full_ns
        self._beat_receives = self._beat_full = 0
        self._beat_first_full_ns = None
        return share

    def _note_saturation(self, n_messages: int, at_ns: int) -> None:
        self._beat_receives += 1
        if n_messages >= BATCH:
            self._beat_full += 1
            self._last_full_ns = at_ns
            if self._beat_first_full_ns is None:
                self._beat_first_full_ns = at_ns
