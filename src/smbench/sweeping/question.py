"""A sweep as it is asked: a scenario, a matrix, seeds and benchmarks; and every run that follows from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smbench.errors import UsageError
from smbench.scenario.explain import first_in_words
from smbench.scenario.model import Scenario
from smbench.sweeping.benchmarks import Benchmarks, trials
from smbench.sweeping.matrix import CELLS_MAX, axes_of, combinations, scenario_with, seeds_of, too_many
from smbench.sweeping.ranking import Rule

FILE_KEYS = ("scenario", "matrix", "seeds", "benchmarks", "thresholds", "rule")


class Question(BaseModel):
    """Everything that decides which runs are made; written beside them, so that a killed sweep goes on.

    Args:
        base: The scenario as plain data, as its file writes it.
        base_dir: Where the files that it names are.
        allowed: Folders outside of it that files may be in.
        matrix: As `matrix.axes_of` takes it.
        seeds: None: the scenario's own.
        thresholds: Beside those of the scenario.
        rule: By which a configuration is chosen.
    """

    model_config = ConfigDict(frozen=True)

    base: dict[str, Any]
    base_dir: Path
    allowed: tuple[Path, ...] = ()
    matrix: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] | None = None
    benchmarks: Benchmarks = Benchmarks()
    thresholds: tuple[str, ...] = ()
    rule: Rule = Rule.CHEAPEST


class Cell(BaseModel):
    """One run of a sweep.

    Args:
        number: From 1, in the order in which they are made.
        configuration: The choices of the matrix, by their axes, as a person reads them.
        alike: Axes of one choice, which is that of every cell.
        trial: What differs between the trials of a benchmark.
        settings: All that was set.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    configuration: dict[str, str]
    alike: tuple[str, ...] = ()
    benchmark: str
    trial: dict[str, str]
    seed: int
    scenario: Scenario
    settings: dict[str, Any]

    @property
    def label(self) -> str:
        """Of all that distinguishes it but the seed."""
        return " ".join(filter(None, [self.name, self.benchmark, *words(self.trial)]))

    @property
    def name(self) -> str:
        """Of the configuration, by what distinguishes it from the others; empty where nothing does."""
        return " ".join(words({axis: label for axis, label in self.configuration.items() if axis not in self.alike}))

    @property
    def common(self) -> str:
        """What the matrix sets in every cell alike; empty for nothing."""
        return " ".join(words({axis: self.configuration[axis] for axis in self.alike}))


def words(labels: Mapping[str, str]) -> list[str]:
    """`memory=1024` for each label; of a dotted key its last step says enough."""
    return [f"{name.rpartition('.')[2]}={label}" for name, label in labels.items()]


def benchmarks_of(written: Mapping[str, Any] | None, where: str) -> Benchmarks:
    """The benchmarks that plain data asks for.

    Raises:
        UsageError: a key or a value is wrong.
    """
    filled = {name: {} if settings is None else settings for name, settings in (written or {}).items()}
    try:
        return Benchmarks.model_validate(filled)
    except ValidationError as error:
        raise UsageError(f"{where}: benchmarks.{first_in_words(error)}", "docs/sweep.md has every key") from None


def seeds_given(written: Any, where: str) -> tuple[int, ...] | None:
    """`1-5`, `[1, 2]`, 3 or nothing, as seeds.

    Raises:
        UsageError: it is none of these.
    """
    if written is None:
        return None
    listed = written if isinstance(written, Sequence) and not isinstance(written, str) else [written]
    try:
        return seeds_of(",".join(map(str, listed)))
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", error.advice) from None


def rule_of(written: Any, where: str) -> Rule:
    """The rule that plain data names; None: the usual one.

    Raises:
        UsageError: there is no such rule.
    """
    try:
        return Rule(written or Rule.CHEAPEST)
    except ValueError:
        known = " and ".join(rule.value for rule in Rule)
        raise UsageError(f"{where}: there is no rule {written!r}", f"known are {known}") from None


def cells_of(question: Question, *, on_stacks: bool = False) -> tuple[Cell, ...]:
    """Every run, checked; seed by seed within a trial, so that configurations are compared by the same seeds.

    Args:
        on_stacks: Each configuration is brought up, as its `deploy` section says.

    Raises:
        UsageError: the matrix or a benchmark is wrong, or there are too many cells.
        ScenarioError: a combination makes no sound scenario.
    """
    axes = axes_of(question.matrix, "matrix")
    alike = tuple(axis for axis, choices in axes.items() if len(choices) == 1)
    cells: list[Cell] = []
    for chosen in combinations(axes, len(question.seeds or (1,))):
        settings = {key: value for choice in chosen.values() for key, value in choice.settings.items()}
        configuration = {axis: choice.label for axis, choice in chosen.items()}
        scenario = scenario_with(question.base, settings, question.base_dir, question.allowed)
        for trial in trials(question.benchmarks, scenario, on_stack=on_stacks):
            with_trial = {**settings, **trial.settings}
            checked = scenario_with(question.base, with_trial, question.base_dir, question.allowed)
            thresholds = tuple(dict.fromkeys((*checked.thresholds, *question.thresholds)))
            for seed in question.seeds or (checked.seed,):
                if len(cells) == CELLS_MAX:
                    raise too_many(f"more than {CELLS_MAX:,}")
                changes: dict[str, Any] = {"thresholds": thresholds}
                if question.seeds is not None:
                    changes |= {"seed": seed, "seeds": type(checked.seeds)()}
                cells.append(
                    Cell(
                        number=len(cells) + 1,
                        configuration=configuration,
                        alike=alike,
                        benchmark=trial.benchmark,
                        trial=trial.labels,
                        seed=seed,
                        scenario=checked.model_copy(update=changes),
                        settings=with_trial,
                    )
                )
    return tuple(cells)
