"""From a file to a Scenario, or to everything that is wrong with it, in the order of the file."""

from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from smbench.errors import Problem, ScenarioError
from smbench.scenario.consistency import consistency_problems
from smbench.scenario.explain import explain
from smbench.scenario.model import Scenario
from smbench.scenario.source import Source, Where, read_source
from smbench.scenario.starter import shipped_names, shipped_scenario
from smbench.scenario.values.files import BASE_DIR

# What stands in for a section that is wrong, so that the checks of the sound ones can still be made.
_SOUND = {"name": "unnamed", "load": [{"pause": {"for": 1}}]}


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; the files it names are looked for beside it.

    Raises:
        ScenarioError: every problem found, in the order of the file.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - error.object[: error.start].rfind(b"\n")
        raise ScenarioError(str(path), [Problem("", "is not UTF-8 text", line, column)]) from None
    except OSError as error:
        raise ScenarioError(str(path), [_unreadable(path, error)]) from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, file: str) -> Scenario:
    """The scenario that `text` writes; `file` is its name in messages, and its folder the place of what it names.

    Raises:
        ScenarioError: every problem found, in the order of the text.
    """
    source, base_dir = read_source(text), Path(file).parent
    problems: dict[Where, Problem] = dict(source.problems)
    scenario: Scenario | None = None
    if () not in problems:
        try:
            scenario = _validated(source.value, base_dir)
        except ValidationError as error:
            problems |= explain(error, source)
        problems |= _check_sense(scenario, source, problems, base_dir)
    if scenario is None or problems:
        in_order = sorted(problems.values(), key=lambda problem: (problem.line, problem.column))
        raise ScenarioError(file, in_order)
    return scenario


def _validated(value: object, base_dir: Path) -> Scenario:
    # By alias only: the file says `for`, and `for_s` in it would be a mistake.
    return Scenario.model_validate(value, by_alias=True, by_name=False, context={BASE_DIR: base_dir})


def _check_sense(
    scenario: Scenario | None, source: Source, problems: dict[Where, Problem], base_dir: Path
) -> dict[Where, Problem]:
    """What does not fit together, looked for in the sections that are sound in themselves."""
    broken = {str(where[0]) for where in problems if where}
    if scenario is None:
        if not isinstance(source.value, dict):
            return {}
        sound = {key: part for key, part in source.value.items() if key not in broken}
        scenario = _validated({**_SOUND, **sound}, base_dir)
    return {
        trouble.where: source.problem(trouble.where, trouble.message, meant=trouble.meant)
        for trouble in consistency_problems(scenario, base_dir, broken)
    }


def _unreadable(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        beside = [other.name for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        near = [str(path.with_name(name)) for name in get_close_matches(path.name, beside, n=1)]
        shipped = [str(shipped_scenario(name)) for name in shipped_names() if name == path.stem]
        return Problem("", "there is no such file", meant=next(iter(near + shipped), ""))
    if isinstance(error, IsADirectoryError):
        return Problem("", "is a folder, not a scenario file")
    return Problem("", f"cannot be read: {error.strerror or error}")
