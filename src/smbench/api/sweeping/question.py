"""What a sweep is asked: from a scenario, the file of a sweep or plain data, checked before anything is started."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smbench.api.report import readable
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, scenario_file
from smbench.errors import UsageError
from smbench.scenario.model import Scenario
from smbench.scenario.source import TEXT_MAX, read_source
from smbench.scenario.values.files import read_regular
from smbench.sweeping.question import FILE_KEYS, Cell, Question, benchmarks_of, rule_of, seeds_given
from smbench.sweeping.ranking import Rule

MatrixLike = Mapping[str, Any]
"""Values by dotted scenario keys, or labelled settings of several keys: docs/sweep.md."""


def question_of(
    scenario: ScenarioLike | None,
    matrix: MatrixLike | None,
    seeds: Any,
    benchmarks: Mapping[str, Any] | None,
    thresholds: Sequence[str],
    rule: str | None,
    base_dir: str | os.PathLike[str] | None,
    allow_files: Folders,
) -> Question:
    asked: dict[str, Any] = {}
    if isinstance(scenario, Scenario):
        given_scenario(scenario, base_dir, allow_files)  # its own misfits are said as its own
        base, folder, where = scenario.model_dump(mode="json", exclude_unset=True), Path(base_dir or "."), "sweep"
    elif isinstance(scenario, Mapping):
        base, folder, where = dict(scenario), Path(base_dir or "."), "sweep"
    else:
        file = scenario_file(scenario)
        base, folder, where = _of_file(file, allow_files), file.parent, str(file)
    if "scenario" in base and "load" not in base:
        asked, inner = base, base["scenario"]
        if unknown := [key for key in asked if key not in FILE_KEYS]:
            raise UsageError(f"{where}: '{unknown[0]}' is not known here", f"known are {', '.join(FILE_KEYS)}")
        if isinstance(inner, Mapping):
            base = dict(inner)
        else:
            beside = folder / str(inner)
            file = beside if beside.exists() else scenario_file(str(inner))
            base, folder = _of_file(file, allow_files), file.parent
    return Question(
        base=base,
        base_dir=folder.resolve(),
        allowed=tuple(Path(one).resolve() for one in allow_files),
        matrix={**_mapping(asked, "matrix", where), **(matrix or {})},
        seeds=seeds_given(asked.get("seeds") if seeds is None else seeds, where),
        benchmarks=benchmarks_of({**_mapping(asked, "benchmarks", where), **(benchmarks or {})}, where),
        thresholds=tuple(dict.fromkeys((*readable(_texts(asked, where), where), *thresholds))),
        rule=rule_of(rule or asked.get("rule"), where),
    )


def _of_file(file: Path, allow_files: Folders) -> dict[str, Any]:
    """A file's values. What is wrong in a scenario is said with its line."""
    try:
        text = read_regular(file, TEXT_MAX).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        given_scenario(file, None, allow_files)  # says what is wrong with it
        raise
    source = read_source(text)
    if source.problems or not isinstance(source.value, dict) or "load" in source.value:
        given_scenario(file, None, allow_files)
    assert isinstance(source.value, dict), "a scenario that was read is a mapping"
    return source.value


def _mapping(asked: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    found = asked.get(key, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"{where}: {key} needs keys and values")
    return dict(found)


def _texts(asked: Mapping[str, Any], where: str) -> tuple[str, ...]:
    found = asked.get("thresholds", [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError(f"{where}: thresholds needs a list such as [p95 < 2s]")
    return tuple(found)


def refuse_discount(question: Question, cells: Sequence[Cell], *, on_stacks: bool) -> None:
    """The discount is one on memory sizes of emulated serverless endpoints: of others they are not known before."""
    if question.rule is not Rule.DISCOUNTED:
        return
    if on_stacks or any(cell.scenario.target.kind != "serverless" or cell.scenario.target.endpoint for cell in cells):
        raise UsageError(
            "the rule `discounted` compares memory sizes of emulated serverless endpoints: these are others"
        )


def refuse_changes_of_aws(cells: Sequence[Cell]) -> None:
    """A real endpoint is used as it is: nothing is created or changed for a cell."""
    for cell in cells:
        if cell.scenario.target.endpoint is None:
            continue
        changed = [key for key in cell.settings if key.startswith("target.") and key != "target.endpoint"]
        if changed:
            raise UsageError(
                f"{changed[0]} cannot be varied on the endpoint {cell.scenario.target.endpoint}: it is used as it is",
                "vary keys of `deploy` with --stack NAME, or deploy each configuration and vary target.endpoint",
            )
