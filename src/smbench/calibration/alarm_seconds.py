"""At which second of the minute each alarm is evaluated: from the changes of its state.

An alarm keeps its second as long as it exists, and each has its own. An alarm whose state never changed shows none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from smbench.calibration.configured import Configured
from smbench.calibration.delays import steps
from smbench.calibration.runs import MeasuredRun
from smbench.scenario.emulated import Policy
from smbench.scenario.initial import AlarmSeconds

HIGH, LOW = "high", "low"
_MINUTE_S = 60.0
_ONE_SECOND = 1.0  # evaluations of an alarm are that near to each other within the minute
_OF_TRACKING = re.compile("-Alarm(High|Low)-")
_PLACE = re.compile(r"-(\d+)$")  # at the end of the names that the emulated endpoint gives


@dataclass(frozen=True, slots=True)
class AlarmSecond:
    """Of one alarm. `second_s` None: its state did not change in these runs, or not always at one second."""

    policy: int  # its place among the policies
    which: str  # high or low
    second_s: float | None
    n: int = 0

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"second of the {self.which} alarm of policy {self.policy}"


def alarm_seconds(runs: Sequence[MeasuredRun], set_up: Configured) -> tuple[AlarmSecond, ...]:
    """Of every alarm of the policies, by the last run in which its state changed.

    Args:
        set_up: Whose policies they are.
    """
    seen: dict[tuple[int, str], tuple[float | None, int]] = {}
    for run in runs:
        seen |= _of_a_run(run, set_up)
    found = []
    for place, policy in enumerate(set_up.policies):
        for which in _alarms_of(policy):
            second_s, n = seen.get((place, which), (None, 0))
            found.append(AlarmSecond(place, which, second_s, n))
    return tuple(found)


def as_initial(found: Sequence[AlarmSecond]) -> tuple[AlarmSeconds, ...]:
    """Those that are known, as a scenario has them."""
    known = {(one.policy, one.which): one.second_s for one in found}
    rows = (
        AlarmSeconds(policy=place, high=known.get((place, HIGH)), low=known.get((place, LOW)))
        for place in sorted({one.policy for one in found if one.second_s is not None})
    )
    return tuple(rows)


def _alarms_of(policy: Policy) -> tuple[str, ...]:
    tracking = policy.target_tracking
    return (HIGH, LOW) if tracking is not None and not tracking.disable_scale_in else (HIGH,)


def _of_a_run(run: MeasuredRun, set_up: Configured) -> dict[tuple[int, str], tuple[float | None, int]]:
    changes = run.frames.events.filter(pl.col("kind") == "alarm").group_by("name").agg("at_ns").sort("name")
    places = set_up.places or _by_cause(run)
    found = {}
    for name, at_ns in changes.iter_rows():
        kind = _OF_TRACKING.search(name)
        place = places.get(name, None if set_up.is_read else _by_name(name, set_up, is_tracking=kind is not None))
        if place is not None and place < len(set_up.policies):
            which = LOW if kind is not None and kind[1] == "Low" else HIGH
            found[place, which] = (_common_s(np.array(at_ns), run.frames.epoch_ns), len(at_ns))
    return found


def _by_cause(run: MeasuredRun) -> dict[str, int]:
    """The emulated endpoint's policies have their place in their name, and its activities name alarm and policy."""
    numbers = {step.alarm_name: _PLACE.search(step.policy) for step in steps(run) if step.alarm_name}
    return {alarm: int(number[1]) for alarm, number in numbers.items() if number}


def _by_name(name: str, set_up: Configured, *, is_tracking: bool) -> int | None:
    """For an alarm that set off nothing: the only tracking policy, or the place in a step alarm's name."""
    tracking = [place for place, policy in enumerate(set_up.policies) if policy.target_tracking is not None]
    if is_tracking:
        return tracking[0] if len(tracking) == 1 else None
    number = _PLACE.search(name)
    return int(number[1]) if number else None


def _common_s(at_ns: npt.NDArray[np.int64], epoch_ns: int) -> float | None:
    seconds_s = (at_ns + epoch_ns) % 60_000_000_000 / 1e9
    away_s = (seconds_s - seconds_s[0] + _MINUTE_S / 2) % _MINUTE_S - _MINUTE_S / 2
    if float(np.ptp(away_s)) > _ONE_SECOND:
        return None
    return float(round((seconds_s[0] + away_s.mean()) % _MINUTE_S, 3)) % _MINUTE_S
