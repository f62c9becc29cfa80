"""Loads a scenario file: returns a Scenario, or everything that is wrong with the file, in the order of the file."""

import errno
from collections.abc import Collection, Mapping, Sequence, Set
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from smbench.errors import Problem, ScenarioError
from smbench.scenario.consistency import consistency_problems
from smbench.scenario.explain import explain
from smbench.scenario.model import Scenario
from smbench.scenario.source import TEXT_MAX, Source, Where, dotted, read_source
from smbench.scenario.starter import shipped_names, shipped_scenario
from smbench.scenario.values.files import ALLOWED, BASE_DIR, read_regular

_UTF8_MAX_BYTES = 4  # a character
# What stands in for a section that is wrong, so that the checks of the sound ones can still be made.
_SOUND = {"name": "unnamed", "load": [{"pause": {"for": 1}}]}


def load_scenario(path: Path, allowed: Sequence[Path] = ()) -> Scenario:
    """Read a scenario file; the files it names are looked for beside it.

    Args:
        allowed: Folders outside of the scenario's own that files may be in.

    Raises:
        ScenarioError: every problem found, in the order of the file.
    """
    try:
        text = read_regular(path, TEXT_MAX * _UTF8_MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - error.object[: error.start].rfind(b"\n")
        raise ScenarioError(str(path), [Problem("", "is not UTF-8 text", line, column)]) from None
    except OSError as error:
        raise ScenarioError(str(path), [_unreadable(path, error)]) from None
    return parse_scenario(text, str(path), allowed)


def parse_scenario(text: str, file: str, allowed: Sequence[Path] = ()) -> Scenario:
    """The scenario that `text` writes; `file` is its name in messages, and its folder the place of what it names.

    Raises:
        ScenarioError: every problem found, in the order of the text.
    """
    return _sound(read_source(text), file, Path(file).parent, allowed)


def scenario_of(value: Mapping[str, Any], base_dir: Path, allowed: Sequence[Path] = ()) -> Scenario:
    """The scenario that plain data says, with the keys and values of a scenario file.

    Args:
        base_dir: Where the files that it names are looked for.
        allowed: Folders outside of `base_dir` that files may be in.

    Raises:
        ScenarioError: every problem found, by its key; there are no lines.
    """
    return _sound(Source("", value, places={(): (0, 0)}), "scenario", base_dir, allowed)


def checked_scenario(
    scenario: Scenario, base_dir: Path, file: str = "scenario", sound: Collection[str] = ()
) -> Scenario:
    """A scenario that was made in Python, or changed, once its sections are found to fit together.

    Args:
        file: What messages call it.
        sound: Sections that need not be looked at.

    Raises:
        ScenarioError: every misfit.
    """
    source = Source("", places={(): (0, 0)})
    found = consistency_problems(scenario, base_dir, sound)
    if misfits := [source.problem(one.where, one.message, meant=one.meant) for one in found]:
        raise ScenarioError(file, misfits)
    return scenario


def _sound(source: Source, file: str, base_dir: Path, allowed: Sequence[Path]) -> Scenario:
    context = {BASE_DIR: base_dir, ALLOWED: tuple(allowed)}
    problems: dict[Where, Problem] = dict(source.problems)
    misfits: list[Problem] = []
    scenario: Scenario | None = None
    n_more = 0
    broken = {str(where[0]) for where in problems if where}
    if () not in problems:
        try:
            scenario = _validated(source.value, context)
        except ValidationError as error:
            explained = explain(error, source)
            problems |= explained.problems
            n_more = explained.n_more
            broken |= explained.sections
        misfits = [one for one in _misfits(scenario, source, broken, context) if one.where not in map(dotted, problems)]
    if scenario is None or problems or misfits:
        every = [*problems.values(), *misfits]
        in_order = sorted(every, key=lambda problem: (problem.line, problem.column))  # stable: lines of a file in order
        raise ScenarioError(file, in_order, n_more)
    return scenario


def _validated(value: object, context: dict[str, object]) -> Scenario:
    # By alias only: the file says `for`, and `for_s` in it would be a mistake.
    return Scenario.model_validate(value, by_alias=True, by_name=False, context=context)


def _misfits(scenario: Scenario | None, source: Source, broken: Set[str], context: dict[str, Any]) -> list[Problem]:
    """What does not fit together, looked for in the sections that are sound in themselves."""
    if scenario is None:
        if not isinstance(source.value, dict):
            return []
        sound = {key: part for key, part in source.value.items() if key not in broken and key in Scenario.model_fields}
        scenario = _validated({**_SOUND, **sound}, context)
    return [
        source.problem(trouble.where, trouble.message, meant=trouble.meant)
        for trouble in consistency_problems(scenario, context[BASE_DIR], broken)
    ]


def _unreadable(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem("", "there is no such file", meant=_meant(path))
    if isinstance(error, IsADirectoryError):
        return Problem("", "is a folder, not a scenario file")
    if error.errno == errno.EINVAL:
        return Problem("", "is not a regular file, as a scenario is")
    if error.errno == errno.EFBIG:
        return Problem("", f"is too long for a scenario: it {error.strerror}")
    return Problem("", f"cannot be read: {error.strerror or error}")


def _meant(path: Path) -> str:
    """A file beside the one that is missing, or a shipped scenario, of nearly its name; empty where there is none."""
    beside = [other.name for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    if near := get_close_matches(path.name, beside, n=1):
        return str(path.with_name(near[0]))
    shipped = shipped_names()
    if path.stem in shipped:
        return str(shipped_scenario(path.stem))
    is_bare = path.parent == Path()  # only what has no folder can be meant as a name
    return next(iter(get_close_matches(path.stem, shipped, n=1)), "") if is_bare else ""
