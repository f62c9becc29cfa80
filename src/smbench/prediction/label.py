"""How far a model can be trusted: in the words that every prediction carries."""

from pathlib import Path

from smbench.calibration.parameter import Parameter
from smbench.calibration.record import label_of, read_record
from smbench.errors import UsageError
from smbench.scenario.faults import ON_THE_WAY, Faults

UNGRADED = "ungraded: emulated as written"


def model_label(target_file: Path | None, faults: Faults) -> str:
    """The grade of a fitted model; of an endpoint that a person wrote, that it has none; and what is not predicted.

    Args:
        target_file: The scenario file; None where the scenario was made in Python.
        faults: Of the scenario.

    Raises:
        ResultsError: the record beside the file is damaged.
    """
    is_fitted = target_file is not None and read_record(target_file) is not None
    label = label_of(target_file).text if target_file is not None and is_fitted else UNGRADED
    left_out = [name for name in ON_THE_WAY if getattr(faults, name)]
    return f"{label}; faults on the way are left out: {', '.join(left_out)}" if left_out else label


def fitted_parameters(target_file: Path | None) -> tuple[Parameter, ...] | None:
    """Those of a fitted model, with their errors; None: a person wrote it.

    Raises:
        ResultsError: the record beside the file is damaged.
    """
    record = None if target_file is None else read_record(target_file)
    return record.parameters or None if record is not None else None


def require_validated(target_file: Path | None) -> None:
    """Refuse a fitted model that was never held against a run, or failed there.

    Raises:
        UsageError: it has no grade.
        ResultsError: the record beside the file is damaged.
    """
    if target_file is None or read_record(target_file) is None:
        return
    label = label_of(target_file)
    if not label.is_validated:
        raise UsageError(
            f"the model in {target_file} has no grade: {label.text}",
            "check it against a run that it was not fitted from, or add --force and keep its label in mind",
        )
