"""A model of an endpoint fitted from its runs."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.api.printed import Printed
from smbench.calibration.fit import fit
from smbench.calibration.foreign import foreign_run
from smbench.calibration.parameter import Parameter
from smbench.calibration.runs import MeasuredRun, measured_run
from smbench.calibration.written import write_model
from smbench.errors import UsageError
from smbench.findings import Verdict
from smbench.results.store import open_run
from smbench.units import counted
from smbench.view.report.calibration import calibration_text


@dataclass(frozen=True, slots=True, repr=False)
class Calibration(Printed):
    """A fitted model.

    Args:
        path: Of the scenario that was written; None: nothing was.
        runs: Names of the folders it was fitted from.
        parameters: Each with its standard error and its source, or the reason why it is not known.
        notes: Which runs are invalid, what was done to imported rows, what of the endpoint the model has no place for.
    """

    path: Path | None
    runs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    notes: tuple[str, ...] = ()

    def to_text(self) -> RenderableType:
        """A table for a terminal."""
        return calibration_text(self.runs, self.parameters, self.notes)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "path": None if self.path is None else str(self.path),
            "runs": list(self.runs),
            "parameters": [each.model_dump(mode="json") for each in self.parameters],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        fitted = f"{counted(len(self.parameters), 'parameter')} from {counted(len(self.runs), 'run')}"
        return f"<smbench.Calibration: {fitted}, {self.path or 'not written'}>"


def calibrate(
    *runs: str | os.PathLike[str], out: str | os.PathLike[str] | None = None, instances: int | None = None
) -> Calibration:
    """Fit a model of an endpoint from the files of one or several of its runs.

    Args:
        runs: Results folders.
        out: The scenario file to write, with its CSV files and its record beside it; None: nothing is written.
        instances: How many served all the time, of runs that were imported from another tool.

    Raises:
        UsageError: no run is given, they are of different endpoints, or nothing can be fitted from them.
        ResultsError: a run cannot be read, or the files cannot be written.
    """
    if not runs:
        raise UsageError("name the results folder of a run")
    path = None if out is None else Path(out)
    if path is not None and path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{path} is not the name of a scenario file", "end it in .yaml")
    found = fit([_read(Path(run), instances) for run in runs])
    if path is not None:
        write_model(found, path)
    notes = (*found.notes, *(f"not in the model: {note}" for note in found.lacking))
    return Calibration(path, found.runs, found.parameters, notes)


def _read(path: Path, instances: int | None) -> MeasuredRun:
    files = open_run(path)
    if instances is None:
        run = measured_run(files)
        why = why_invalid(run.frames)
        note = f"{run.name} is INVALID, and so may be what is fitted from it: {why}"
        return replace(run, notes=(*run.notes, note)) if why else run
    if files.manifest.imported is None:
        raise UsageError(f"{path} already says how many instances served", "--instances is for runs that were imported")
    return foreign_run(files, instances)


def why_invalid(frames: Frames) -> str:
    """Which checks say that a run's figures are not its endpoint's, with what they saw; empty: none does."""
    findings = check(frames, summarise(frames))
    return "; ".join(f"{one.name}: {' '.join(one.seen.split())}" for one in findings if one.verdict is Verdict.INVALID)
