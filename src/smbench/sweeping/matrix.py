"""A matrix of scenario keys: every combination of its values, each as a scenario that was checked.

An axis is a dotted key with a list of values, or a name over labelled settings of several keys:

    target.emulated.serverless.memory: [1024, 2048]
    size: {small: {target.instance_hour: 0.1, target.emulated.service: 2s}, large: {target.instance_hour: 0.4}}
"""

import copy
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smbench.errors import ScenarioError, UsageError
from smbench.scenario.load import scenario_of
from smbench.scenario.model import SEED_MAX, Scenario
from smbench.scenario.source import read_source

CELLS_MAX = 5_000
SEEDS_MAX = 1_000
_SEEDS = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")

Settings = dict[str, Any]
"""Values by their dotted keys."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an axis.

    Args:
        label: As a person reads it.
        settings: What it sets.
    """

    label: str
    settings: Settings


Axes = dict[str, tuple[Choice, ...]]
"""The choices of each axis, by its name."""


def axes_of(matrix: Mapping[str, Any], where: str) -> Axes:
    """The axes that a matrix writes.

    Args:
        where: What to call it in messages.

    Raises:
        UsageError: an axis is neither a list of values nor labelled settings, or it is empty or repeats a value.
    """
    axes: Axes = {}
    for name, written in matrix.items():
        if isinstance(written, Mapping):
            if not all(isinstance(one, Mapping) and one for one in written.values()):
                raise UsageError(f"{where}: '{name}' needs keys and values under each of its labels")
            choices = [Choice(str(label), dict(settings)) for label, settings in written.items()]
        else:
            values = written if isinstance(written, Sequence) and not isinstance(written, str) else [written]
            choices = [Choice(_label(value), {str(name): value}) for value in values]
        labels = [choice.label for choice in choices]
        if not labels:
            raise UsageError(f"{where}: '{name}' has no value")
        if twice := next((label for label in labels if labels.count(label) > 1), None):
            raise UsageError(f"{where}: '{name}' has {twice} twice")
        axes[str(name)] = tuple(choices)
    _check_apart(axes, where)
    return axes


def _check_apart(axes: Axes, where: str) -> None:
    """Raises UsageError: two axes set one key, or a key and a part of it, so that one would hide the other."""
    keys = dict.fromkeys((key, name) for name, choices in axes.items() for one in choices for key in one.settings)
    for (key, name), (other, another) in itertools.permutations(keys, 2):
        if name != another and (key == other or other.startswith(f"{key}.")):
            raise UsageError(f"{where}: '{name}' and '{another}' both set {other}", "set a key in one place only")


def axes_from_options(options: Sequence[str]) -> dict[str, list[Any]]:
    """The matrix that `--set key=value,value` options write; the same key again adds values.

    Raises:
        UsageError: an option has no `=`, or its values are no YAML.
    """
    matrix: dict[str, list[Any]] = {}
    for option in options:
        key, equals, text = option.partition("=")
        if not key or not equals or not text.strip():
            raise UsageError(f"--set '{option}': write a key and values, such as load.0.poisson.rate=1/s,2/s")
        source = read_source(f"[{text}]")
        if source.problems or not isinstance(source.value, list):
            problem = next(iter(source.problems.values()), None)
            said = problem.message if problem is not None else "is not a list of values"
            raise UsageError(f"--set '{option}': {said}")
        matrix.setdefault(key.strip(), []).extend(source.value)
    return matrix


def seeds_of(text: str) -> tuple[int, ...]:
    """`1-5` or `1,4,7-9` as seeds in that order.

    Raises:
        UsageError: it is neither, a seed is there twice, or there are more than `SEEDS_MAX`.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = _SEEDS.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise UsageError(f"seeds '{text}': write a range such as 1-5 or a list such as 1,2,7")
        if last > SEED_MAX:
            raise UsageError(f"seeds '{text}': {last} is more than 2^63 - 1, the largest seed")
        if last - first >= SEEDS_MAX or len(seeds) + last - first >= SEEDS_MAX:
            raise UsageError(f"seeds '{text}': more than {SEEDS_MAX:,} are not taken")
        seeds.extend(range(first, last + 1))
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"seeds '{text}': a seed is there twice")
    return tuple(seeds)


def combinations(axes: Axes, n_more: int = 1) -> list[dict[str, Choice]]:
    """A choice of each axis, in the order of the matrix, the last axis fastest.

    Args:
        n_more: How many cells each combination becomes.

    Raises:
        UsageError: more than `CELLS_MAX` cells come of it.
    """
    n = math.prod(len(choices) for choices in axes.values()) * n_more
    if n > CELLS_MAX:
        raise too_many(f"{n:,}")
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*axes.values())]


def too_many(n_cells: str) -> UsageError:
    """What to say of a sweep of so many cells."""
    return UsageError(
        f"the sweep has {n_cells} cells, and at most {CELLS_MAX:,} are run", "leave out values, seeds or benchmarks"
    )


def scenario_with(base: Mapping[str, Any], settings: Settings, base_dir: Path, allowed: Sequence[Path]) -> Scenario:
    """The scenario that plain data says, with other values under some keys.

    Args:
        settings: Keys are dotted; entries of lists count from 0.
        base_dir: Where the files that it names are looked for.
        allowed: Folders outside of it that files may be in.

    Raises:
        UsageError: a key leads into a value that has none.
        ScenarioError: what comes of it is wrong; its `file` names the settings.
    """
    value = copy.deepcopy(dict(base))
    for key, wanted in settings.items():
        _put(value, key, wanted)
    try:
        return scenario_of(value, base_dir, allowed)
    except ScenarioError as error:
        named = ", ".join(f"{key}={_label(wanted)}" for key, wanted in settings.items())
        raise ScenarioError(f"scenario with {named}" if named else error.file, error.problems) from None


def _put(value: dict[str, Any], key: str, wanted: Any) -> None:
    *steps, last = key.split(".")
    inner: Any = value
    for step in steps:
        if isinstance(inner, dict):
            inner = inner.setdefault(step, {})
        elif isinstance(inner, list) and step.isdecimal() and int(step) < len(inner):
            inner = inner[int(step)]
        else:
            raise UsageError(f"{key}: there is no '{step}' to set a value in")
    if isinstance(inner, dict):
        inner[last] = wanted
    elif isinstance(inner, list) and last.isdecimal() and int(last) < len(inner):
        inner[int(last)] = wanted
    else:
        raise UsageError(f"{key}: there is no '{last}' to set")


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_label(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_label, value)) + "]"
    return str(value)
