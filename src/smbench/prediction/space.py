"""The policies that a what-if tries: a file of lists and ranges, and every combination of them as an endpoint.

min: [0, 1]
max: {from: 4, to: 16, step: 4}
backlog_per_instance: [2, 5, 10]
step_from_zero: [none, {add: 1}]
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from smbench.errors import UsageError
from smbench.scenario.emulated import (
    Emulated,
    Instances,
    Policy,
    StepFromZero,
    StepPolicy,
    TargetTracking,
)
from smbench.scenario.values.quantities import format_duration, parse_duration_s

POINTS_MAX = 20_000

_INSTANCES = ("min", "max", "start", "concurrency")
_COOLDOWNS = ("out_cooldown", "in_cooldown")
_TRACKING = ("backlog_per_instance", *_COOLDOWNS, "disable_scale_in")
_STEPS: dict[str, type[StepFromZero] | type[StepPolicy]] = {
    "step_from_zero": StepFromZero,
    "step_out": StepPolicy,
    "step_in": StepPolicy,
}
KEYS = (*_INSTANCES, *_TRACKING, *_STEPS, "policies")
_NONE = "none"
_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class Point:
    """One combination.

    Args:
        values: What was varied, as a person reads it.
        emulated: The endpoint with it.
    """

    values: dict[str, str]
    emulated: Emulated


@dataclass(frozen=True, slots=True)
class Space:
    """Every combination that makes sense.

    Args:
        current: The endpoint as it is.
        n_senseless: Combinations left out, such as a minimum above the maximum.
    """

    points: tuple[Point, ...]
    current: Point
    n_senseless: int


def space_of(vary: Mapping[str, Any], base: Emulated, where: str) -> Space:
    """The combinations of `vary` around an endpoint.

    Args:
        vary: A value, a list of values or a range `{from, to, step}` for each of `KEYS`.
        base: The endpoint, for everything that is not varied.
        where: What to call `vary` in messages: the file.

    Raises:
        UsageError: a key or a value is wrong, or there are more than `POINTS_MAX` combinations.
    """
    base = _with_new_alarms(base)
    if not vary:
        raise UsageError(f"{where}: nothing to vary", f"name one or more of {', '.join(KEYS)}")
    for key in vary:
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, 1)
            meant = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(KEYS)}"
            raise UsageError(f"{where}: '{key}' cannot be varied", meant)
    if "policies" in vary and set(vary) & {*_TRACKING, *_STEPS}:
        raise UsageError(
            f"{where}: `policies` names whole sets of policies, and other keys change parts of one",
            "use one of the two",
        )
    counts = {key: _count(key, value, where) for key, value in vary.items()}
    n_points = math.prod(counts.values())
    if n_points > POINTS_MAX:
        most = ", ".join(f"{key} {n:,}" for key, n in counts.items())
        raise UsageError(
            f"{where}: {n_points:,} policies; at most {POINTS_MAX:,} can be tried", f"fewer values: {most}"
        )
    axes = {key: _values(key, value, where) for key, value in vary.items()}
    points, n_senseless, why = [], 0, ""
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        try:
            points.append(Point({key: _shown(key, value) for key, value in chosen.items()}, _applied(chosen, base)))
        except ValidationError as error:
            n_senseless, why = n_senseless + 1, _first(error)
    if not points:
        raise UsageError(f"{where}: no combination makes sense: {why}")
    return Space(tuple(points), current_point(vary, base), n_senseless)


def _with_new_alarms(base: Emulated) -> Emulated:
    """The seconds of its alarms are drawn: a policy that is put gets new alarms."""
    return base.model_copy(update={"initial": base.initial.model_copy(update={"alarm_seconds": ()})})


def _is_range(value: Any) -> bool:
    return isinstance(value, Mapping) and "from" in value and "to" in value


def _count(key: str, value: Any, where: str) -> int:
    if _is_range(value):
        low, high, step = _range(key, value, where)
        return math.floor((high - low) / step + 1e-9) + 1
    return len(value) if isinstance(value, list) else 1


def _range(key: str, value: Mapping[str, Any], where: str) -> tuple[float, float, float]:
    if key not in (*_INSTANCES, "backlog_per_instance", *_COOLDOWNS) or set(value) - {"from", "to", "step"}:
        raise UsageError(f"{where}: {key}: a range is {{from, to, step}}, and {key} must be a number")
    read: Callable[[Any], float] = parse_duration_s if key in _COOLDOWNS else float
    try:
        low, high, step = (read(value.get(name, 1)) for name in ("from", "to", "step"))
    except (ValueError, TypeError):
        raise UsageError(
            f"{where}: {key}: a range's from, to and step must be numbers", "as {from: 4, to: 16, step: 4}"
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and 0 < step < math.inf and low <= high):
        raise UsageError(f"{where}: {key}: a range goes up from `from` to `to` by a `step` above 0")
    return low, high, step


def _values(key: str, value: Any, where: str) -> list[Any]:
    if _is_range(value):
        low, _, step = _range(key, value, where)
        numbers = [low + step * place for place in range(_count(key, value, where))]
        return [int(number) if number == int(number) else number for number in numbers]
    values = value if isinstance(value, list) else [value]
    if not values:
        raise UsageError(f"{where}: {key}: the list is empty")
    return [_checked(key, one, where) for one in values]


def _checked(key: str, value: Any, where: str) -> Any:
    """The value as the scenario's own models read it."""
    try:
        if key in _STEPS:
            return None if value in (None, _NONE) else _STEPS[key].model_validate(value)
        if key == "policies":
            return tuple(Policy.model_validate(one) for one in (value if isinstance(value, list) else [value]))
        if key in _TRACKING:
            settings = {"backlog_per_instance": 1, key: value}
            return getattr(TargetTracking.model_validate(settings), key)
        return getattr(Instances.model_validate({"min": 0, "max": 1000, key: value}), key)
    except ValidationError as error:
        raise UsageError(f"{where}: {key}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _applied(chosen: Mapping[str, Any], base: Emulated) -> Emulated:
    limits = {key: chosen[key] for key in _INSTANCES if key in chosen}
    written = {key: getattr(base.instances, key) for key in _INSTANCES}
    instances = Instances.model_validate({**written, **limits})
    return base.model_copy(update={"instances": instances, "policies": _policies(chosen, base.policies)})


def _policies(chosen: Mapping[str, Any], base: tuple[Policy, ...]) -> tuple[Policy, ...]:
    if "policies" in chosen:
        found: tuple[Policy, ...] = chosen["policies"]
        return found
    policies = list(base)
    if tracking := {key: chosen[key] for key in _TRACKING if key in chosen}:
        place = next((place for place, one in enumerate(policies) if one.target_tracking is not None), None)
        before = None if place is None else policies[place].target_tracking
        settings = {} if before is None else before.model_dump()
        changed = Policy(target_tracking=TargetTracking.model_validate({**settings, **tracking}))
        policies[len(policies) if place is None else place : len(policies) if place is None else place + 1] = [changed]
    if "step_from_zero" in chosen:
        policies = [one for one in policies if one.step_from_zero is None]
        if chosen["step_from_zero"] is not None:
            policies.append(Policy(step_from_zero=chosen["step_from_zero"]))
    policies += [Policy(step=step) for key in ("step_out", "step_in") if (step := chosen.get(key)) is not None]
    return tuple(policies)


def current_point(vary: Mapping[str, Any], base: Emulated) -> Point:
    """The endpoint as it is, with its own value of what is varied where it has one."""
    tracking = next((one.target_tracking for one in base.policies if one.target_tracking is not None), None)
    values = {}
    for key in vary:
        if key in _INSTANCES:
            values[key] = _shown(key, getattr(base.instances, key))
        elif key in _TRACKING and tracking is not None:
            values[key] = _shown(key, getattr(tracking, key))
    return Point(values, _with_new_alarms(base))


def _shown(key: str, value: Any) -> str:
    if value is None:
        return _NONE
    if key in _COOLDOWNS:
        return format_duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "; ".join(_part(one) for one in value) or _NONE
    return _part(value)


def _part(value: Any) -> str:
    """A policy in the words of a scenario file, what is left at its default left out; cut where it is long."""
    written = value.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    text = str(written).replace("'", "").replace("{", "").replace("}", "")
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


def policy_words(emulated: Emulated) -> str:
    """Limits and policies in a line."""
    instances = emulated.instances
    parts = [f"min {instances.min}, max {instances.max}"]
    for policy in emulated.policies:
        if policy.target_tracking is not None:
            one = policy.target_tracking
            parts.append(
                f"tracking {one.backlog_per_instance:g} ({format_duration(one.out_cooldown)} out, "
                f"{'no scale-in' if one.disable_scale_in else format_duration(one.in_cooldown) + ' in'})"
            )
        elif policy.step_from_zero is not None:
            parts.append(f"from zero +{policy.step_from_zero.add} after {policy.step_from_zero.minutes} min")
        elif policy.step is not None:
            parts.append(f"step on {policy.step.metric} {policy.step.comparison} {policy.step.threshold:g}")
    return "; ".join(parts)
