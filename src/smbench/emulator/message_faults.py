"""What may go wrong with the news of an inference's end: a message late, lost or doubled, a result not yet in S3."""

from dataclasses import dataclass
from pathlib import Path

from smbench.emulator.faults import Draws
from smbench.model.service import Sampler
from smbench.scenario.emulated import Emulated
from smbench.scenario.faults import Delayed
from smbench.scenario.values.seeds import stream


@dataclass(slots=True)  # one a request: freezing would double what it costs
class NoticeDelivery:
    """What becomes of one inference's message: when each copy is published, counted from the inference's end."""

    notice: str  # sent, late or lost
    delays_s: tuple[float, ...]  # one a copy; empty when lost
    is_followed_by_rubbish: bool
    result_after_s: float = 0.0  # from the inference's end until S3 shows the result


class MessageFaults:
    """Decided by order of acceptance; each fault has its own stream, so one more of it leaves the others alone."""

    def __init__(self, emulated: Emulated, seed: int, base_dir: Path | None) -> None:
        faults = emulated.faults
        self._shares = {
            "notices_lost": faults.notices_lost,
            "notices_late": 0.0 if faults.notices_late is None else faults.notices_late.share,
            "notices_duplicated": faults.notices_duplicated,
            "malformed_messages": faults.malformed_messages,
            "outputs_late": 0.0 if faults.outputs_late is None else faults.outputs_late.share,
        }
        self._is_calm = not any(self._shares.values())
        self._draws = {name: Draws(stream(seed, f"faults.{name}")) for name in self._shares}
        self._lag = Sampler(emulated.notify_lag, stream(seed, "notify_lag"), base_dir)
        self._copy_lag = Sampler(emulated.notify_lag, stream(seed, "notify_lag.copies"), base_dir)
        self._late = _delays(faults.notices_late, seed, "faults.notices_late.delay", base_dir)
        self._hidden = _delays(faults.outputs_late, seed, "faults.outputs_late.delay", base_dir)

    def draw(self, index: int) -> NoticeDelivery:
        """The fate of the `index`-th accepted request's message. Asked once for each, in order."""
        lag_s = self._lag.draw_s()
        if self._is_calm:
            return NoticeDelivery("sent", (lag_s,), is_followed_by_rubbish=False)
        is_rubbish_next = self._strikes("malformed_messages", index)
        copies = 1 + self._strikes("notices_duplicated", index)
        extra_s = tuple(self._copy_lag.draw_s() for _ in range(copies - 1))
        is_late = self._late is not None and self._strikes("notices_late", index)
        late_s = self._late.draw_s() if self._late is not None and is_late else 0.0
        is_hidden = self._hidden is not None and self._strikes("outputs_late", index)
        hidden_s = self._hidden.draw_s() if self._hidden is not None and is_hidden else 0.0
        if self._strikes("notices_lost", index):
            return NoticeDelivery("lost", (), is_rubbish_next, hidden_s)
        delays_s = tuple(lag_s + late_s + more_s for more_s in (0.0, *extra_s))
        return NoticeDelivery("late" if is_late else "sent", delays_s, is_rubbish_next, hidden_s)

    def _strikes(self, name: str, index: int) -> bool:
        share = self._shares[name]
        return share > 0.0 and self._draws[name][index] < share


def _delays(delayed: Delayed | None, seed: int, use: str, base_dir: Path | None) -> Sampler | None:
    return None if delayed is None else Sampler(delayed.delay, stream(seed, use), base_dir)
