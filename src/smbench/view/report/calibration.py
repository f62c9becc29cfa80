"""A fitted model as a table: each parameter, how sure it is, and what it was read from."""

from collections.abc import Sequence

from rich.console import Group, RenderableType

from smbench.calibration.parameter import Parameter, Source
from smbench.view.report.whole_table import WholeTable

_SOURCES = (
    "L0 client, L1 notices, L2 scaling activities, alarms and instance counts, L3 CloudWatch, set: a setting, "
    "assumed: these runs cannot say"
)


def calibration_text(runs: Sequence[str], parameters: Sequence[Parameter], notes: Sequence[str]) -> RenderableType:
    """The table, then why what is assumed could not be known, then what the model leaves out."""
    table = WholeTable(
        ("parameter", "left"), ("value", "right"), ("± error", "right"), ("n", "right"), ("source", "left")
    )
    for each in parameters:
        table.add_row(each.name, _value(each), _error(each), f"{each.n:,}" if each.n else "", each.source.value)
    remarks = [f"  {each.name}: {each.note}" for each in parameters if each.note]
    return Group(
        f"Fitted from {', '.join(runs)}",
        "",
        table,
        "",
        *remarks,
        *(f"  {note}" for note in notes),
        "",
        f"Sources: {_SOURCES}",
    )


def _value(parameter: Parameter) -> str:
    if parameter.value is None:
        return "default" if parameter.source is Source.ASSUMED and parameter.unit == "s" else "unknown"
    return parameter.value if isinstance(parameter.value, str) else f"{parameter.value:.4g}{_unit(parameter)}"


def _error(parameter: Parameter) -> str:
    return "" if parameter.error is None else f"{parameter.error:.2g}{_unit(parameter)}"


def _unit(parameter: Parameter) -> str:
    return {"s": " s", "/s": "/s"}.get(parameter.unit, "")
