"""What differs between two runs apart from chance: only runs alike in all but what is compared can be compared.

Looked at: the scenario as it was resolved, what was found of a real endpoint, the payloads' bytes, the machine, and of
an imported run what its file says.
Not looked at: what names or judges a run (`name`, `description`, `thresholds`), and its seeds, which are chance itself.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.results.manifest import Manifest
from smbench.scenario.model import Scenario

_NOT_LOAD = ("name", "description", "thresholds", "seed", "seeds")
_NAMES_AND_PLACES = ("PolicyARN", "PolicyName", "ResourceId", "Alarms", "CreationTime", "Dimensions")
_SHOWN_MAX = 60  # characters of a value
_ABSENT = "nothing"
_MINUTE_NS = 60_000_000_000
_KERNEL_BUILD = re.compile(r"(Linux-\d+\.\d+)[^-]*(?:-(?!(?:x86_64|aarch64|with)\b)[^-]+)*")  # changes with every image


class Difference(BaseModel):
    """One thing that is not the same, as a dotted key and both values in JSON."""

    model_config = ConfigDict(frozen=True)

    key: str
    baseline: str
    other: str

    def lies_under(self, keys: Sequence[str]) -> bool:
        """Whether one of these keys names it, or a part of the scenario that it belongs to."""
        return any(self.key == key or self.key.startswith(f"{key}.") for key in keys)


def differences(baseline: Manifest, other: Manifest) -> tuple[Difference, ...]:
    """In the order of their keys; empty when the two are runs of one question on one kind of machine."""
    runs = (baseline, other)
    written = [_with_defaults(run.scenario) for run in runs]
    scenarios = [run.scenario for run in runs] if None in written else written
    likenesses = [_likeness(run, scenario or {}) for run, scenario in zip(runs, scenarios, strict=True)]
    if baseline.clock.kind == other.clock.kind == "warp":  # no machine is slow in virtual time
        for likeness in likenesses:
            del likeness["host"]
    found = _walk("", *likenesses)
    return tuple(sorted(found, key=lambda difference: difference.key))


def is_repetition(one: Manifest, other: Manifest) -> bool:
    """Two runs that had to come out the same: time was virtual and nothing was left to chance.

    The second adds nothing to the first, so the two are one run. Both must be alike otherwise.
    """
    is_virtual = all(run.clock.kind == "warp" or run.transport == "simulated" for run in (one, other))
    phases = {run.clock.epoch_ns % _MINUTE_NS for run in (one, other)}  # of CloudWatch's minutes
    same_chance = one.seeds == other.seeds and one.schedule_digest == other.schedule_digest
    return is_virtual and same_chance and len(phases) == 1


def _likeness(run: Manifest, written: dict[str, Any]) -> dict[str, Any]:
    scenario = {key: value for key, value in written.items() if key not in _NOT_LOAD}
    host = {
        "platform": _KERNEL_BUILD.sub(r"\1", run.host.platform),
        "cpu_count": run.host.cpu_count,
        "python": ".".join(run.host.python.split(".")[:2]),
    }
    how = {
        "smbench": run.smbench,
        "transport": run.transport,
        "workers": run.workers,
        "clock": run.clock.kind,
        "scale": run.clock.scale,
    }
    is_real = (scenario.get("target") or {}).get("endpoint") is not None
    return {
        **scenario,
        "found": _found(run.target) if is_real else {},  # an emulated one is the scenario's own
        "imported": _imported(run),
        "payload_digests": run.payload_digests,
        "run": how,
        "host": host,
    }


def _with_defaults(scenario: dict[str, Any]) -> dict[str, Any] | None:
    """The scenario as this smbench writes it out: what an earlier one did not know has its default. None: a later's."""
    try:
        return Scenario.model_validate(scenario).model_dump(mode="json", by_alias=True)
    except ValidationError:
        return None


def _imported(run: Manifest) -> dict[str, Any]:
    """What another tool's latencies mean: k6 leaves out connecting, others begin where a request was due."""
    if run.imported is None:
        return {}
    return {
        "tool": run.imported.tool or None,
        "latency_from": "due" if run.imported.is_due_known else "send",
        "has_unanswered": run.imported.has_unanswered,
        "has_failures": run.imported.has_failures,
    }


def _found(target: dict[str, Any]) -> dict[str, Any]:
    """What decides how a real endpoint behaves, without what it is called."""
    scalable = target.get("scalable_target") or {}
    policies = [_unnamed(policy) for policy in target.get("policies") or ()]
    return {
        **{key: target.get(key) for key in ("instance_type", "concurrency", "instances_current")},
        "min": scalable.get("MinCapacity"),
        "max": scalable.get("MaxCapacity"),
        "policies": sorted(policies, key=_json),
    }


def _unnamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unnamed(inner) for key, inner in value.items() if key not in _NAMES_AND_PLACES}
    return [_unnamed(inner) for inner in value] if isinstance(value, list) else value


def _walk(key: str, one: Any, other: Any) -> Iterator[Difference]:
    """A key that is missing and one that is null are the same: a later smbench writes more defaults out."""
    if one == other or _are_unset(one, other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from _walk(f"{key}.{name}" if key else str(name), one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _walk(f"{key}.{place}", mine, theirs)
    else:
        yield Difference(key=key, baseline=_shown(one), other=_shown(other))


def _are_unset(*values: Any) -> bool:
    return all(value is None or value == {} for value in values)


def _shown(value: Any) -> str:
    text = _ABSENT if value is None else _json(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
