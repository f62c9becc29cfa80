"""The record of a fitted model, beside its scenario: the runs it was fitted from, its parameters, how it was checked.

`fitted.yaml` has `fitted.model.json`. A check counts as long as what was checked is what is there: the digest covers
all of the target but its policies, limits and state at the start, which a user varies, and the files it draws from.
"""

import hashlib
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.calibration.parameter import Parameter
from smbench.errors import ResultsError
from smbench.results.files import write_whole
from smbench.scenario.load import load_scenario
from smbench.scenario.model import Scenario

_VARIED = ("policies", "scheduled", "suspended", "initial", "time", "start_of_minute", "results_kept")
GRADES = ("A", "B")  # the best first; a check without a grade is "not validated"
NOT_VALIDATED = "not validated"


class Check(BaseModel):
    """One comparison of the model with a run."""

    model_config = ConfigDict(frozen=True)

    run: str  # the name of its folder
    is_in_sample: bool  # the model was fitted from this very run
    grade: str  # A, B or "not validated"
    digest: str  # of what was checked
    fingerprint: str  # of the run
    figures: dict[str, float]  # errors by name; see docs/calibration.md
    undecided: str = ""  # why that run decides on no grade; empty: it does
    notes: tuple[str, ...] = ()  # what the grade depends on beside the model


class ModelRecord(BaseModel):
    """What is kept of a fitted model."""

    model_config = ConfigDict(frozen=True)

    version: int = 1
    smbench: str = ""
    runs: tuple[str, ...]  # the names of their folders
    fingerprints: tuple[str, ...] = ()  # of the runs
    latency_s: tuple[float | None, ...] = ()  # quantiles over the runs, evenly spaced; None: fewer completed
    parameters: tuple[Parameter, ...]
    digest: str
    checks: tuple[Check, ...] = ()

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises OSError."""
        write_whole(path, orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n")


class Label(BaseModel):
    """What is said of a model wherever its predictions are shown."""

    model_config = ConfigDict(frozen=True)

    grade: str  # A, B or "not validated"
    text: str

    @property
    def is_validated(self) -> bool:
        """Whether the model may be used without being forced."""
        return self.grade in GRADES


def record_path(target_file: Path) -> Path:
    """Where the record of a fitted scenario is."""
    return target_file.with_suffix(".model.json")


def read_record(target_file: Path) -> ModelRecord | None:
    """The record beside a scenario; None where there is none.

    Raises:
        ResultsError: it is damaged.
    """
    path = record_path(target_file)
    try:
        return ModelRecord.model_validate(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError, ValidationError) as error:
        raise ResultsError(f"{path} is damaged, or no record of a model", "fit the model again") from error


def with_check(record: ModelRecord, check: Check) -> ModelRecord:
    """The record with one more check; it replaces one of the same model against the same run."""
    others = [each for each in record.checks if (each.fingerprint, each.digest) != (check.fingerprint, check.digest)]
    return record.model_copy(update={"checks": (*others, check)})


def label_of(target_file: Path) -> Label:
    """The grade of the model in a scenario file, and the sentence that every prediction from it carries.

    The worst check against a run that the model was not fitted from counts, of those whose run could decide.

    Raises:
        ScenarioError: the scenario is wrong.
        ResultsError: its record is damaged.
    """
    record = read_record(target_file)
    if record is None:
        return Label(
            grade=NOT_VALIDATED, text=f"{NOT_VALIDATED}: {target_file.name} was not fitted by smbench calibrate"
        )
    digest = physics_digest(load_scenario(target_file), target_file.parent)
    if digest != record.digest:
        return Label(grade=NOT_VALIDATED, text=f"{NOT_VALIDATED}: {target_file.name} was changed after it was fitted")
    held_out = [check for check in record.checks if not check.is_in_sample and check.digest == digest]
    if not held_out:
        only = "only against a run that it was fitted from" if record.checks else "against no run yet"
        return Label(grade=NOT_VALIDATED, text=f"{NOT_VALIDATED}: checked {only}; smbench check-model does it")
    deciding = [check for check in held_out if not check.undecided]
    if not deciding:
        run = f"{held_out[-1].run}, which is too short or too lightly loaded to decide"
        return Label(grade=NOT_VALIDATED, text=f"{NOT_VALIDATED}: checked against {run}")
    worst = max(deciding, key=lambda check: (*GRADES, NOT_VALIDATED).index(check.grade))
    said = worst.grade if worst.grade == NOT_VALIDATED else f"grade {worst.grade}"
    others = f", the worst of {len(deciding)} checks" if len(deciding) > 1 else ""
    chance = "; an alarm of that run saw its minutes by chance" if worst.notes else ""
    return Label(grade=worst.grade, text=f"{said}: checked against {worst.run}{others}{chance}")


def physics_digest(scenario: Scenario, base_dir: Path) -> str:
    """SHA-256 of what a fit determines: the target without what a user varies, and the files that it draws from."""
    written: dict[str, Any] = scenario.target.model_dump(mode="json", by_alias=True)
    emulated = {key: value for key, value in written["emulated"].items() if key not in _VARIED}
    emulated["instances"] = emulated["instances"]["concurrency"]
    sha = hashlib.sha256(orjson.dumps(emulated, option=orjson.OPT_SORT_KEYS))
    for name in sorted(set(_named_files(emulated))):
        sha.update((base_dir / name).read_bytes())
    return sha.hexdigest()


def _named_files(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["file"]] if isinstance(value.get("file"), str) else []
        return [*own, *(name for each in value.values() for name in _named_files(each))]
    return [name for each in value for name in _named_files(each)] if isinstance(value, list) else []
