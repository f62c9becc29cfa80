"""A scenario however it is given: a file, the name of a shipped one, plain data, or a Scenario."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from smbench.errors import UsageError
from smbench.generator.forecast import forecast
from smbench.generator.forecast_text import facts, warnings
from smbench.generator.plan import make_plan
from smbench.lifecycle.origin import Origin
from smbench.model.cautions import scaling_cautions
from smbench.printable import is_utf8
from smbench.scenario.describe import describe
from smbench.scenario.explain import in_words
from smbench.scenario.load import checked_scenario, load_scenario, scenario_of
from smbench.scenario.model import SEED_MAX, Scenario, Seeds, Target
from smbench.scenario.source import dotted
from smbench.scenario.starter import QUICK_START, shipped_names, shipped_scenario
from smbench.scenario.thresholds import parse_threshold
from smbench.schedule.base import PhaseSpan
from smbench.units import counted
from smbench.view.live.reading import reading_progress

ScenarioLike = str | os.PathLike[str] | Mapping[str, Any] | Scenario
"""A scenario's file, the name of a shipped scenario, a mapping with the keys of a scenario file, or a Scenario."""

DRAWN_MAX = 1_000_000  # requests: to say what a file means must not take a gigabyte

Folders = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Given:
    """A scenario that was read and checked, and where it came from."""

    scenario: Scenario
    origin: Origin


@dataclass(frozen=True, slots=True, repr=False)
class Validation:
    """What a scenario would do.

    Args:
        scenario: With every default written out.
        description: In words.
        n_requests: How many its schedule has.
        schedule_digest: The same for the same arrivals, payloads and phases; empty where the schedule has more than
            `DRAWN_MAX` requests, which are not drawn, and `n_requests` is what is to be expected.
        notes: What is worth knowing: how a trace was read, what a phase needs, how long it takes and what it may
            cost, what of the scaling may mislead.
        warnings: What would surprise whoever reads the results, such as a load that the endpoint cannot keep up with.
    """

    scenario: Scenario
    description: str
    n_requests: int
    schedule_digest: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        asked = f"{counted(self.n_requests, 'request')}, {counted(len(self.warnings), 'warning')}"
        return f"<smbench.Validation {self.scenario.name}: {asked}>"


def validate(
    scenario: ScenarioLike | None = None,
    *,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    shows_reading: bool = False,
) -> Validation:
    """Check a scenario and the files it names, and draw its schedule. Nothing is started.

    Args:
        scenario: As `run` takes it; None is the quick start.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        shows_reading: Say on stderr how far the reading of a large file is.

    Returns:
        What it would do.

    Raises:
        ScenarioError: with every problem found.
        UsageError: a trace cannot be read, or the load is too large.
    """
    given = given_scenario(scenario, base_dir, allow_files)
    n_known = round(sum(phase.expected_requests or 0.0 for phase in given.scenario.load))
    if n_known > DRAWN_MAX:
        note = f"more than {DRAWN_MAX:,} requests are not drawn here: what they need and how long they take is not said"
        return Validation(given.scenario, describe(given.scenario), n_known, "", (note,))
    plan = make_plan(given.scenario, given.origin.base_dir, reading_progress() if shows_reading else None)
    schedule = plan.schedule
    found = forecast(plan)
    notes = [f"{span.name}: {note}" for span in schedule.spans for note in span.notes]
    notes += [*facts(found, plan.time_kind, given.scenario.target.instance_hour), *plan.notes]
    notes += [f"note: {caution}" for caution in scaling_cautions(given.scenario)]
    notes += [f"note: {too_few}" for too_few in _too_few(given.scenario, schedule.spans)]
    description = describe(given.scenario)
    return Validation(given.scenario, description, len(schedule), schedule.digest, tuple(notes), tuple(warnings(found)))


def _too_few(scenario: Scenario, spans: Sequence[PhaseSpan]) -> list[str]:
    """Percentiles that a threshold names and the load cannot bear: the run would be unknown for them."""
    n = sum(span.n for span in spans if not span.warmup)
    found = (parse_threshold(text).too_few(n) for text in scenario.thresholds)
    return [f"{too_few}: the run would be UNKNOWN" for too_few in found if too_few]


def reseeded(scenario: Scenario, seed: int) -> Scenario:
    """The scenario with another seed in every dimension.

    Raises:
        UsageError: it is no seed.
    """
    if type(seed) is not int or not 0 <= seed <= SEED_MAX:
        raise UsageError(f"seed {seed!r}: must be a whole number from 0 to 2^63 - 1")
    return scenario.model_copy(update={"seed": seed, "seeds": Seeds()})


def given_scenario(
    scenario: ScenarioLike | None, base_dir: str | os.PathLike[str] | None = None, allow_files: Folders = ()
) -> Given:
    """Read a scenario and check it.

    Args:
        base_dir: Folder of the files that a mapping or a Scenario names; None: the current one. The files that a
            scenario file names are beside it.
        allow_files: Folders outside of that one which files may be in.

    Raises:
        ScenarioError: with every problem found.
        UsageError: the folder's or the file's name is not UTF-8, and no manifest could have it.
    """
    allowed = [Path(folder) for folder in allow_files]
    if isinstance(scenario, Scenario | Mapping):
        folder = Path.cwd() if base_dir is None else Path(base_dir)
        _require_utf8(folder)
        if isinstance(scenario, Scenario):
            checked = checked_scenario(scenario, folder)
        else:
            checked = scenario_of(scenario, folder, allowed)
        digest = hashlib.sha256(checked.model_dump_json(by_alias=True).encode()).hexdigest()
        return Given(checked, Origin(folder, digest=digest))
    file = scenario_file(scenario)
    _require_utf8(file)
    loaded = load_scenario(file, allowed)
    return Given(loaded, Origin(file.parent, file.name, hashlib.sha256(file.read_bytes()).hexdigest()))


def _require_utf8(path: Path) -> None:
    if not is_utf8(str(path.resolve())):
        raise UsageError(f"the name of {path.resolve()} is not UTF-8", "give it another, or use it from another folder")


def with_endpoint(
    scenario: Scenario, endpoint: str | None, kind: Literal["async", "serverless", "realtime"] | None = None
) -> Scenario:
    """The scenario against a real endpoint, with all else that its target says; None changes nothing.

    Args:
        kind: Of the endpoint; the scenario's where it is None.

    Raises:
        UsageError: no endpoint can have this name.
    """
    if endpoint is None:
        return scenario
    said = scenario.target.model_dump(exclude={"emulated"}, exclude_unset=True)
    try:
        target = Target.model_validate({**said, "endpoint": endpoint, "kind": kind or scenario.target.kind})
    except ValidationError as error:
        first = error.errors()[0]
        where = ("target", *first["loc"])
        raise UsageError(f"{dotted(where)}: {in_words(first, where)} (got {endpoint!r})") from None
    return scenario.model_copy(update={"target": target})


def scenario_file(given: str | os.PathLike[str] | None) -> Path:
    """The file given; the quick start where none is; a shipped scenario where only its name is given."""
    if given is None:
        return shipped_scenario(QUICK_START)
    path = Path(given)
    if not path.exists() and str(given) in shipped_names():
        return shipped_scenario(str(given))
    return path
