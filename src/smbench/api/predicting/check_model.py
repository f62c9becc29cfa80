"""A model held against a run that it was not fitted from."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from smbench.api.predicting.calibrate import why_invalid
from smbench.api.printed import Printed
from smbench.calibration.checking.check import ModelCheck, check
from smbench.calibration.record import (
    Check,
    Label,
    ModelRecord,
    label_of,
    physics_digest,
    read_record,
    record_path,
    with_check,
)
from smbench.calibration.runs import measured_run
from smbench.errors import InvalidRunError, ResultsError, UsageError
from smbench.results.store import open_run
from smbench.scenario.load import load_scenario
from smbench.version import __version__
from smbench.view.report.model_check import model_check_text

REPLICATIONS_MAX = 1000


@dataclass(frozen=True, slots=True, repr=False)
class CheckedModel(Printed):
    """How well a model predicts a run.

    Args:
        path: Of the model's scenario.
        run: Name of the run's folder.
        is_in_sample: The model was fitted from this very run: it shows how well it fits, not how well it predicts.
        found: Errors, bands, noise floor, baseline and grade.
        label: What predictions of this model carry from now on.
    """

    path: Path
    run: str
    is_in_sample: bool
    found: ModelCheck
    label: Label

    def to_text(self) -> RenderableType:
        """A table for a terminal."""
        return model_check_text(self.run, self.found, self.label.text, is_in_sample=self.is_in_sample)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; null where an error is without bound or not known."""
        found = self.found
        return {
            "model": str(self.path),
            "run": self.run,
            "is_in_sample": self.is_in_sample,
            "grade": found.grade,
            "undecided": found.undecided or None,
            "label": self.label.text,
            "replications": found.replications,
            "errors": _finite(found.figures),
            "bands": {name: [_plain(low), _plain(high)] for name, (low, high) in found.bands.items()},
            "noise_floor": _finite(found.floor),
            "persistence": _finite(found.persistence),
            "percentiles_covered": found.covered,
            "notes": list(found.notes),
        }

    def __repr__(self) -> str:
        return f"<smbench.CheckedModel {self.path} against {self.run}: {self.label.text}>"


def check_model(model: str | os.PathLike[str], run: str | os.PathLike[str], *, replications: int = 20) -> CheckedModel:
    """Predict a run with a fitted model, compare, grade, and keep the grade in the model's record.

    The model gets the run's arrivals, limits, policies, instances at the start and the seconds of its alarms;
    everything else is the model's.

    Args:
        model: A scenario file, such as `calibrate` writes.
        run: A results folder.
        replications: Predictions, each with chance of its own; as many again for the bands.

    Raises:
        ScenarioError: the model is wrong.
        UsageError: it names a real endpoint, or the run cannot be compared.
        InvalidRunError: the run says nothing of its endpoint.
        ResultsError: the run or the record cannot be read, or the record cannot be written.
    """
    if not 2 <= replications <= REPLICATIONS_MAX:
        raise UsageError(f"{replications:,} replications: between 2 and {REPLICATIONS_MAX:,} can be made")
    path = Path(model)
    scenario = load_scenario(path)
    if scenario.target.endpoint is not None:
        raise UsageError(f"{path} names the endpoint {scenario.target.endpoint}, which is not a model")
    if scenario.target.kind != "async":
        raise UsageError(
            f"{path} describes a {scenario.target.kind} endpoint; only models of asynchronous endpoints can be checked",
            "`smbench compare` holds a prediction of `smbench simulate` against a run",
        )
    measured, digest = measured_run(open_run(Path(run))), physics_digest(scenario, path.parent)
    if why := why_invalid(measured.frames):
        raise InvalidRunError(
            f"{measured.name} is invalid, so no model can be held against its figures: {why}",
            "make the run again, and check the model against that",
        )
    record = read_record(path) or ModelRecord(smbench=__version__, runs=(), parameters=(), digest=digest)
    found = check(
        measured,
        scenario,
        path.parent,
        parameters=record.parameters,
        quantiles_s=tuple(math.inf if value is None else value for value in record.latency_s),
        replications=replications,
    )
    is_in_sample = measured.fingerprint in record.fingerprints
    kept = Check(
        run=measured.name,
        is_in_sample=is_in_sample,
        grade=found.grade,
        digest=digest,
        fingerprint=measured.fingerprint,
        notes=found.notes,
        undecided=found.undecided,
        figures={name: value for name, value in found.figures.items() if math.isfinite(value)},
    )
    try:
        with_check(record, kept).write(record_path(path))
    except OSError as error:
        raise ResultsError(f"cannot write {record_path(path)}: {error.strerror or error}") from error
    return CheckedModel(path, measured.name, is_in_sample, found, label_of(path))


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: _plain(value) for name, value in figures.items()}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
