"""What goes wrong between client and service, by the scenario's shares: each fault from a stream of its own.

The decision for the n-th invocation depends on the seed and n alone, so turning one fault on leaves the others alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from smbench.model.service import Sampler
from smbench.scenario.emulated import Faults as FaultSettings
from smbench.scenario.emulated import Throttle
from smbench.scenario.values.seeds import stream

_BLOCK = 1024


class FaultKind(StrEnum):
    """What happens to one InvokeEndpointAsync, the first that applies in this order."""

    RESET = "reset"  # the connection is reset, the request not taken
    THROTTLED = "throttled"  # 400 ThrottlingException, message null
    SERVER_ERROR = "server_error"  # 500 or 503, not taken
    LOST_REPLY = "lost_reply"  # taken, and the connection is reset
    SLOW = "slow"  # taken, and the answer comes `delay_s` later
    NONE = "none"

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint has the request all the same."""
        return self in (FaultKind.LOST_REPLY, FaultKind.SLOW, FaultKind.NONE)


@dataclass(frozen=True, slots=True)
class Decision:
    """One invocation's fate. `status` is 0 unless an error is answered; `delay_s` is 0 unless the answer is slow."""

    kind: FaultKind
    status: int = 0
    delay_s: float = 0.0


_NOTHING = Decision(FaultKind.NONE)


class Draws:
    """Uniform numbers in [0, 1) by index: `draws[i]` is the same whatever was asked before."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._drawn: list[float] = []

    def __getitem__(self, index: int) -> float:
        while index >= len(self._drawn):
            self._drawn.extend(self._rng.random(_BLOCK).tolist())
        return self._drawn[index]


class TokenBucket:
    """Admits `rate` a second and bursts up to `burst`, in scenario time."""

    def __init__(self, throttle: Throttle) -> None:
        self._per_ns, self._burst = throttle.rate / 1e9, float(throttle.burst)
        self._tokens, self._at_ns = self._burst, 0

    def admit(self, at_ns: int) -> bool:
        """Take a token if there is one. Instants never decrease."""
        self._tokens = min(self._burst, self._tokens + (at_ns - self._at_ns) * self._per_ns)
        self._at_ns = at_ns
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Faults:
    """Decides the fate of invocations.

    Args:
        settings: The scenario's faults.
        seed: The scenario's seed for faults.
        base_dir: Where a delay's empirical file is looked up.
    """

    def __init__(self, settings: FaultSettings, seed: int, base_dir: Path | None = None) -> None:
        self._bucket = None if settings.throttle is None else TokenBucket(settings.throttle)
        self._shares = {
            FaultKind.RESET: settings.resets,
            FaultKind.THROTTLED: settings.throttled,
            FaultKind.SERVER_ERROR: settings.server_errors,
            FaultKind.LOST_REPLY: settings.lost_replies,
            FaultKind.SLOW: 0.0 if settings.slow_answers is None else settings.slow_answers.share,
        }
        self._is_calm = self._bucket is None and not any(self._shares.values())
        self._draws = {kind: Draws(stream(seed, f"faults.{kind}")) for kind in self._shares}
        self._statuses = Draws(stream(seed, "faults.server_error.status"))
        self._delays_s: list[float] = []
        self._draw_delay_s: Callable[[], float] | None = None
        if settings.slow_answers is not None:
            sampler = Sampler(settings.slow_answers.delay, stream(seed, "faults.slow.delay"), base_dir)
            self._draw_delay_s = sampler.draw_s

    def decide(self, index: int, at_ns: int) -> Decision:
        """The fate of the `index`-th InvokeEndpointAsync call, made at a scenario instant; call it once for each."""
        if self._is_calm:
            return _NOTHING
        if self._strikes(FaultKind.RESET, index):
            return Decision(FaultKind.RESET)
        is_admitted = self._bucket is None or self._bucket.admit(at_ns)
        if not is_admitted or self._strikes(FaultKind.THROTTLED, index):
            return Decision(FaultKind.THROTTLED, status=400)
        if self._strikes(FaultKind.SERVER_ERROR, index):
            return Decision(FaultKind.SERVER_ERROR, status=500 if self._statuses[index] < 0.5 else 503)
        if self._strikes(FaultKind.LOST_REPLY, index):
            return Decision(FaultKind.LOST_REPLY)
        if self._strikes(FaultKind.SLOW, index):
            return Decision(FaultKind.SLOW, delay_s=self._delay_s(index))
        return _NOTHING

    def _strikes(self, kind: FaultKind, index: int) -> bool:
        share = self._shares[kind]
        return share > 0.0 and self._draws[kind][index] < share

    def _delay_s(self, index: int) -> float:
        assert self._draw_delay_s is not None, "only slow answers ask"
        while index >= len(self._delays_s):
            self._delays_s.append(self._draw_delay_s())
        return self._delays_s[index]
