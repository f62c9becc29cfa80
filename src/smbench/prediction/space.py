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
from smbench.scenario.consistency import why_never_scales
from smbench.scenario.emulated import (
    Emulated,
    Instances,
    InvocationsTracking,
    Policy,
    StepFromZero,
    StepPolicy,
    TargetTracking,
)
from smbench.scenario.explain import first_in_words, in_words
from smbench.scenario.serverless import CONCURRENCY_MAX, Serverless
from smbench.scenario.values.distributions import ServiceLaw
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
_TRACKED: dict[str, tuple[str, type[TargetTracking] | type[InvocationsTracking]]] = {
    "async": ("target_tracking", TargetTracking),
    "realtime": ("invocations_tracking", InvocationsTracking),
}
KEYS = (*_INSTANCES, *_TRACKING, *_STEPS, "policies")
_INVOCATIONS = "invocations_per_instance"
_SERVERLESS = ("memory", "max_concurrency", "provisioned")
KEYS_OF = {
    "async": KEYS,
    "realtime": (*_INSTANCES, _INVOCATIONS, *_TRACKING[1:], "step_out", "step_in", "policies"),
    "serverless": _SERVERLESS,
}
_NUMBERS = (*_INSTANCES, "backlog_per_instance", _INVOCATIONS, *_SERVERLESS[1:])
_POLICY = ("target", "emulated", "policies", 0)
_PLACES: dict[str, tuple[str | int, ...]] = {  # of the same settings in a scenario
    **{key: ("target", "emulated", "instances", key) for key in _INSTANCES},
    **{key: (*_POLICY, "target_tracking", key) for key in _TRACKING},
    **{key: ("target", "emulated", "serverless", key) for key in _SERVERLESS},
    _INVOCATIONS: (*_POLICY, "invocations_tracking", _INVOCATIONS),
    "step_from_zero": (*_POLICY, "step_from_zero"),
    "step_out": (*_POLICY, "step"),
    "step_in": (*_POLICY, "step"),
    "policies": _POLICY,
}
_NONE = "none"
_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class Sized:
    """A memory size in MB with the service times that an environment of it has."""

    memory: int
    service: ServiceLaw


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
        other_start: Instances that the endpoint's file begins with, where each policy begins with its own minimum.
    """

    points: tuple[Point, ...]
    current: Point
    n_senseless: int
    other_start: int | None = None


def space_of(vary: Mapping[str, Any], base: Emulated, where: str, kind: str = "async") -> Space:
    """The combinations of `vary` around an endpoint.

    Where minima are compared, each begins with its own instances, as an idle endpoint under it does: with the same
    number for all, going to zero would cost no cold start.

    Args:
        vary: A value, a list of values or a range `{from, to, step}` for each of `KEYS_OF` its kind.
        base: The endpoint, for everything that is not varied.
        where: What to call `vary` in messages: the file.

    Raises:
        UsageError: a key or a value is wrong, or there are more than `POINTS_MAX` combinations.
    """
    base, known, other_start = _with_new_alarms(base), KEYS_OF[kind], None
    if "min" in vary and "start" not in vary and base.instances.start is not None:
        other_start = base.instances.start
        base = base.model_copy(update={"instances": base.instances.model_copy(update={"start": None})})
    if not vary:
        raise UsageError(f"{where}: nothing to vary", f"name one or more of {', '.join(known)}, each with its values")
    for key in vary:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            meant = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise UsageError(f"{where}: '{key}' cannot be varied", meant)
    if "policies" in vary and set(vary) & {*_TRACKING, _INVOCATIONS, *_STEPS}:
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
            emulated = _applied(chosen, base, kind)
        except ValidationError as error:
            n_senseless, why = n_senseless + 1, first_in_words(error)
            continue
        if odd := _why_senseless(emulated, kind):
            n_senseless, why = n_senseless + 1, odd
        else:
            points.append(Point({key: _shown(key, value) for key, value in chosen.items()}, emulated))
    if not points:
        raise UsageError(f"{where}: no combination makes sense: {why}")
    return Space(tuple(points), current_point(vary, base, kind), n_senseless, other_start)


def _why_senseless(emulated: Emulated, kind: str) -> str:
    """What of an endpoint of this kind cannot be; empty: nothing."""
    if kind == "realtime" and not emulated.instances.at_start:
        return "a real-time endpoint has at least one instance"
    return next(filter(None, (why_never_scales(policy, kind) for policy in emulated.policies)), "")


def _with_new_alarms(base: Emulated) -> Emulated:
    """The seconds of its alarms are drawn: a policy that is put gets new alarms."""
    return base.model_copy(update={"initial": base.initial.model_copy(update={"alarm_seconds": ()})})


def _is_range(key: str, value: Any) -> bool:
    return isinstance(value, Mapping) and (key in (*_NUMBERS, *_COOLDOWNS) or {"from", "to"} <= set(value))


def _count(key: str, value: Any, where: str) -> int:
    if _is_range(key, value):
        low, high, step = _range(key, value, where)
        return math.floor((high - low) / step + 1e-9) + 1
    return len(value) if isinstance(value, list) else 1


def _range(key: str, value: Mapping[str, Any], where: str) -> tuple[float, float, float]:
    if key not in (*_NUMBERS, *_COOLDOWNS) or set(value) - {"from", "to", "step"}:
        raise UsageError(f"{where}: {key}: a range is {{from, to, step}}, and {key} must be a number")
    if not {"from", "to"} <= set(value):
        raise UsageError(f"{where}: {key}: a range has both ends", "as {from: 4, to: 16, step: 4}")
    read: Callable[[Any], float] = parse_duration_s if key in _COOLDOWNS else _number
    try:
        low, high, step = (read(value.get(name, 1)) for name in ("from", "to", "step"))
    except (ValueError, TypeError):
        raise UsageError(
            f"{where}: {key}: a range's from, to and step must be numbers", "as {from: 4, to: 16, step: 4}"
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and 0 < step < math.inf and low <= high):
        raise UsageError(f"{where}: {key}: a range goes up from `from` to `to` by a `step` above 0")
    return low, high, step


def _number(value: Any) -> float:
    if isinstance(value, bool):  # which Python takes for 0 and 1
        raise TypeError("true and false are not numbers")
    return float(value)


def _values(key: str, value: Any, where: str) -> list[Any]:
    if _is_range(key, value):
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
        if key in _SERVERLESS:
            return _of_serverless(key, value)
        if key == _INVOCATIONS:
            return InvocationsTracking.model_validate({key: value}).invocations_per_instance
        if key in _TRACKING:
            settings = {"backlog_per_instance": 1, key: value}
            return getattr(TargetTracking.model_validate(settings), key)
        return getattr(Instances.model_validate({"min": 0, "max": 1000, key: value}), key)
    except ValidationError as error:
        raise UsageError(f"{where}: {_what_is_wrong(key, error)}") from None


def _what_is_wrong(key: str, error: ValidationError) -> str:
    """In the words of a scenario's own check, which has the same settings elsewhere."""
    first = error.errors()[0]
    inside = first["loc"] if key in _STEPS or key == "policies" else first["loc"][1:]
    place = ".".join(str(part) for part in (key, *inside))
    return f"{place}: {in_words(first, (*_PLACES[key], *inside))}"


def _of_serverless(key: str, value: Any) -> Any:
    """A number; of the memory that, or a size with the service times that it has: `{size: 1024, service: 2s}`."""
    if key != "memory" or not isinstance(value, Mapping):
        return getattr(Serverless.model_validate({"max_concurrency": CONCURRENCY_MAX, key: value}), key)
    if set(value) != {"size", "service"}:
        raise UsageError("a memory is a size such as 2048, or {size: 2048, service: 1.2s}")
    return Sized(_of_serverless(key, value["size"]), Emulated.model_validate({"service": value["service"]}).service)


def _applied(chosen: Mapping[str, Any], base: Emulated, kind: str) -> Emulated:
    if kind == "serverless":
        sized = chosen.get("memory")
        changed: dict[str, Any] = dict(chosen)
        if isinstance(sized, Sized):
            changed["memory"] = sized.memory
        written = {name: getattr(base.serverless, name) for name in Serverless.model_fields}
        serverless = Serverless.model_validate({**written, **changed})
        service = sized.service if isinstance(sized, Sized) else base.service
        return base.model_copy(update={"serverless": serverless, "service": service})
    limits = {key: chosen[key] for key in _INSTANCES if key in chosen}
    written = {key: getattr(base.instances, key) for key in _INSTANCES}
    instances = Instances.model_validate({**written, **limits})
    return base.model_copy(update={"instances": instances, "policies": _policies(chosen, base.policies, kind)})


def _policies(chosen: Mapping[str, Any], base: tuple[Policy, ...], kind: str) -> tuple[Policy, ...]:
    if "policies" in chosen:
        found: tuple[Policy, ...] = chosen["policies"]
        return found
    policies = list(base)
    if tracking := {key: chosen[key] for key in (_INVOCATIONS, *_TRACKING) if key in chosen}:
        name, law = _TRACKED[kind]
        place = next((place for place, one in enumerate(policies) if getattr(one, name) is not None), None)
        settings = {} if place is None else getattr(policies[place], name).model_dump()
        changed = Policy.model_validate({name: law.model_validate({**settings, **tracking})})
        policies[len(policies) if place is None else place : len(policies) if place is None else place + 1] = [changed]
    if "step_from_zero" in chosen:
        policies = [one for one in policies if one.step_from_zero is None]
        if chosen["step_from_zero"] is not None:
            policies.append(Policy(step_from_zero=chosen["step_from_zero"]))
    policies += [Policy(step=step) for key in ("step_out", "step_in") if (step := chosen.get(key)) is not None]
    return tuple(policies)


def current_point(vary: Mapping[str, Any], base: Emulated, kind: str = "async") -> Point:
    """The endpoint as it is, with its own value of what is varied where it has one."""
    name = _TRACKED["realtime" if kind == "realtime" else "async"][0]
    tracking = next((found for one in base.policies if (found := getattr(one, name)) is not None), None)
    values = {}
    for key in vary:
        if key in _INSTANCES:
            values[key] = _shown(key, getattr(base.instances, key))
        elif key in _SERVERLESS:
            values[key] = _shown(key, getattr(base.serverless, key))
        elif key in (_INVOCATIONS, *_TRACKING) and tracking is not None:
            values[key] = _shown(key, getattr(tracking, key))
    return Point(values, _with_new_alarms(base))


def _shown(key: str, value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, Sized):
        return str(value.memory)
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


def policy_words(emulated: Emulated, kind: str = "async") -> str:
    """Limits and policies in a line."""
    if kind == "serverless":
        size = emulated.serverless
        return f"{size.memory} MB, at most {size.max_concurrency} at once, {size.provisioned} provisioned"
    instances = emulated.instances
    parts = [f"min {instances.min}, max {instances.max}"]
    for policy in emulated.policies:
        if policy.target_tracking is not None:
            one = policy.target_tracking
            parts.append(
                f"tracking {one.backlog_per_instance:g} ({format_duration(one.out_cooldown)} out, "
                f"{'no scale-in' if one.disable_scale_in else format_duration(one.in_cooldown) + ' in'})"
            )
        elif policy.invocations_tracking is not None:
            of = policy.invocations_tracking
            parts.append(
                f"tracking {of.invocations_per_instance:g} a minute ({format_duration(of.out_cooldown)} out, "
                f"{'no scale-in' if of.disable_scale_in else format_duration(of.in_cooldown) + ' in'})"
            )
        elif policy.concurrency_tracking is not None:
            at_once = policy.concurrency_tracking
            parts.append(
                f"tracking {at_once.concurrent_requests:g} at once ({format_duration(at_once.out_cooldown)} out, "
                f"{'no scale-in' if at_once.disable_scale_in else format_duration(at_once.in_cooldown) + ' in'})"
            )
        elif policy.step_from_zero is not None:
            parts.append(f"from zero +{policy.step_from_zero.add} after {policy.step_from_zero.minutes} min")
        elif policy.step is not None:
            parts.append(f"step on {policy.step.metric} {policy.step.comparison} {policy.step.threshold:g}")
    return "; ".join(parts)
