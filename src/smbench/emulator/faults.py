"""Faults between client and service: by the scenario's plan and shares, each from a random stream of its own.

The decision for the n-th call depends on the seed, n and the instant alone, so turning one fault on leaves the others
alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from smbench.model.service import Sampler
from smbench.scenario.faults import Faults as FaultSettings
from smbench.scenario.faults import PlannedFault, Throttle
from smbench.scenario.values.seeds import stream

INVOCATIONS = (
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointWithResponseStream",
)
_BLOCK = 256
_BLOCKS_KEPT = 4  # ends come out of the order of their requests, and so ask for older ones


class FaultKind(StrEnum):
    """What happens to one call; to an invocation by shares, the first that applies in this order."""

    UNREACHABLE = "unreachable"  # not taken, and never answered
    RESET = "reset"  # the connection is reset, the request not taken
    THROTTLED = "throttled"  # 400 ThrottlingException, message null
    DENIED = "denied"  # 403, or 400 of a JSON service; not taken
    SERVER_ERROR = "server_error"  # 500 or 503, not taken
    LOST_REPLY = "lost_reply"  # taken, and the connection is reset
    NO_ANSWER = "no_answer"  # taken, and never answered
    SLOW = "slow_answer"  # taken, and the answer comes `delay_s` later
    TORN_STREAM = "torn_stream"  # taken; the connection closes after half of the parts, within a message
    STREAM_ERROR = "stream_error"  # taken; ModelStreamError after half of the parts
    STREAM_FAILURE = "stream_failure"  # taken; InternalStreamFailure after half of the parts
    NONE = "none"

    @property
    def is_taken(self) -> bool:
        """Whether the service carries the call out all the same."""
        return self not in _NOT_TAKEN


_NOT_TAKEN = frozenset(
    {FaultKind.UNREACHABLE, FaultKind.RESET, FaultKind.THROTTLED, FaultKind.DENIED, FaultKind.SERVER_ERROR}
)
_KINDS = {
    "error": FaultKind.SERVER_ERROR,
    "throttle": FaultKind.THROTTLED,
    "denied": FaultKind.DENIED,
    "reset": FaultKind.RESET,
    "lost_reply": FaultKind.LOST_REPLY,
    "no_answer": FaultKind.NO_ANSWER,
    "unreachable": FaultKind.UNREACHABLE,
    "slow": FaultKind.SLOW,
    "torn_stream": FaultKind.TORN_STREAM,
    "stream_error": FaultKind.STREAM_ERROR,
    "stream_failure": FaultKind.STREAM_FAILURE,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """One call's fate. `status` is 0 unless an error is answered; `delay_s` is 0 unless the answer is slow."""

    kind: FaultKind
    status: int = 0
    delay_s: float = 0.0


NOTHING = Decision(FaultKind.NONE)


class Draws:
    """Uniform numbers in [0, 1) by index: `draws[i]` is the same whatever was asked before.

    Only the newest blocks of them are kept; one that is asked for again later is drawn again.

    Args:
        rng: Of PCG64, which can begin at any of its numbers, and of its own.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        generator = rng.bit_generator
        assert isinstance(generator, np.random.PCG64)
        self._rng, self._generator, self._beginning = rng, generator, generator.state
        self._blocks: dict[int, list[float]] = {}

    def __getitem__(self, index: int) -> float:
        number, place = divmod(index, _BLOCK)
        block = self._blocks.get(number)
        return (self._drawn(number) if block is None else block)[place]

    def _drawn(self, number: int) -> list[float]:
        self._generator.state = self._beginning
        self._generator.advance(number * _BLOCK)  # each number takes one step
        if len(self._blocks) == _BLOCKS_KEPT:
            del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = self._rng.random(_BLOCK).tolist()
        return self._blocks[number]


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


class _Planned:
    """One line of the plan: which calls it covers, how many of them there were, and which of them it strikes."""

    def __init__(self, settings: PlannedFault, seed: int, use: str, base_dir: Path | None) -> None:
        self._settings, self._kind = settings, _KINDS[settings.trouble]
        self._from_ns = round(settings.at * 1e9)
        self._until_ns = None if settings.for_s is None else self._from_ns + round(settings.for_s * 1e9)
        self._nth = frozenset(settings.nth)
        self._draws, self._statuses = Draws(stream(seed, use)), Draws(stream(seed, f"{use}.status"))
        self._delay = (
            None if settings.delay is None else Sampler(settings.delay, stream(seed, f"{use}.delay"), base_dir)
        )
        self._n_calls = 0

    @property
    def is_denial(self) -> bool:
        return self._kind is FaultKind.DENIED

    def covers(self, call: str) -> bool:
        service, _, _ = call.partition(":")
        return not {"*", f"{service}:*", call}.isdisjoint(self._settings.calls)

    def decide(self, at_ns: int) -> Decision | None:
        """The fate of the next call that it covers; None: this line leaves it alone."""
        index = self._n_calls
        self._n_calls += 1
        if (self._nth and index + 1 not in self._nth) or not self._is_on(at_ns):
            return None
        if self._settings.share < 1.0 and self._draws[index] >= self._settings.share:
            return None
        match self._kind:
            case FaultKind.THROTTLED:
                return Decision(self._kind, status=400)
            case FaultKind.SERVER_ERROR:
                return Decision(self._kind, status=_server_error(self._statuses[index]))
        return Decision(self._kind, delay_s=0.0 if self._delay is None else self._delay.draw_s())

    def cuts(self, at_ns: int) -> FaultKind | None:
        """What becomes of an answer under way: lost with the connection, while this line strikes every call."""
        is_total = self._settings.share == 1.0 and not self._nth and self._is_on(at_ns)
        return self._kind if is_total and self._kind in (FaultKind.RESET, FaultKind.UNREACHABLE) else None

    def _is_on(self, at_ns: int) -> bool:
        return at_ns >= self._from_ns and (self._until_ns is None or at_ns < self._until_ns)


def _server_error(draw: float) -> int:
    return 500 if draw < 0.5 else 503


class Faults:
    """Decides the fate of calls.

    Args:
        settings: The scenario's faults.
        seed: The scenario's seed for faults.
        base_dir: Where a delay's empirical file is looked up.
    """

    def __init__(self, settings: FaultSettings, seed: int, base_dir: Path | None = None) -> None:
        self._plan = [
            _Planned(planned, seed, f"faults.plan.{place}", base_dir) for place, planned in enumerate(settings.plan)
        ]
        self._covering: dict[str, list[_Planned]] = {}
        self._invocations = InvocationFaults(settings, seed, base_dir)
        self.is_calm = not self._plan and self._invocations.is_calm
        self._n_invocations = 0

    def decide(self, call: str, at_ns: int) -> Decision:
        """The fate of a call, `sqs:ReceiveMessage`, at a scenario instant; asked once for each, as they arrive."""
        found = None
        if self._plan:
            decided = [planned.decide(at_ns) for planned in self._covers(call)]  # each line counts every call
            found = next((one for one in decided if one is not None), None)
        if call not in INVOCATIONS:
            return found or NOTHING
        index = self._n_invocations
        self._n_invocations += 1
        return found or self._invocations.decide(index, at_ns)

    def denies(self, call: str, at_ns: int) -> bool:
        """Whether the identity may not do what CloudFormation does for it; only a line `denied` counts this call."""
        lines = [planned for planned in self._covers(call) if planned.is_denial]
        decided = [planned.decide(at_ns) for planned in lines]
        return any(one is not None for one in decided)

    def cuts(self, call: str, at_ns: int) -> FaultKind | None:
        """Whether the answer that would leave now is lost, and how: RESET or UNREACHABLE; None: it arrives."""
        if not self._plan:
            return None
        return next((kind for planned in self._covers(call) if (kind := planned.cuts(at_ns))), None)

    def _covers(self, call: str) -> list[_Planned]:
        if call not in self._covering:
            self._covering[call] = [planned for planned in self._plan if planned.covers(call)]
        return self._covering[call]


class InvocationFaults:
    """The fate of invocations by the scenario's shares; arguments as those of `Faults`."""

    def __init__(self, settings: FaultSettings, seed: int, base_dir: Path | None = None) -> None:
        self._bucket = None if settings.throttle is None else TokenBucket(settings.throttle)
        self._shares = {
            FaultKind.RESET: settings.resets,
            FaultKind.THROTTLED: settings.throttled,
            FaultKind.SERVER_ERROR: settings.server_errors,
            FaultKind.LOST_REPLY: settings.lost_replies,
            FaultKind.SLOW: 0.0 if settings.slow_answers is None else settings.slow_answers.share,
        }
        self.is_calm = self._bucket is None and not any(self._shares.values())
        self._draws = {kind: Draws(stream(seed, f"faults.{kind}")) for kind in self._shares}
        self._statuses = Draws(stream(seed, "faults.server_error.status"))
        self._delays_s: list[float] = []
        self._draw_delay_s: Callable[[], float] | None = None
        if settings.slow_answers is not None:
            sampler = Sampler(settings.slow_answers.delay, stream(seed, "faults.slow.delay"), base_dir)
            self._draw_delay_s = sampler.draw_s

    def decide(self, index: int, at_ns: int) -> Decision:
        """The fate of the `index`-th invocation, made at a scenario instant; call it once for each."""
        if self.is_calm:
            return NOTHING
        if self._strikes(FaultKind.RESET, index):
            return Decision(FaultKind.RESET)
        is_admitted = self._bucket is None or self._bucket.admit(at_ns)
        if not is_admitted or self._strikes(FaultKind.THROTTLED, index):
            return Decision(FaultKind.THROTTLED, status=400)
        if self._strikes(FaultKind.SERVER_ERROR, index):
            return Decision(FaultKind.SERVER_ERROR, status=_server_error(self._statuses[index]))
        if self._strikes(FaultKind.LOST_REPLY, index):
            return Decision(FaultKind.LOST_REPLY)
        if self._strikes(FaultKind.SLOW, index):
            return Decision(FaultKind.SLOW, delay_s=self._delay_s(index))
        return NOTHING

    def _strikes(self, kind: FaultKind, index: int) -> bool:
        share = self._shares[kind]
        return share > 0.0 and self._draws[kind][index] < share

    def _delay_s(self, index: int) -> float:
        assert self._draw_delay_s is not None, "only slow answers ask"
        while index >= len(self._delays_s):
            self._delays_s.append(self._draw_delay_s())
        return self._delays_s[index]
