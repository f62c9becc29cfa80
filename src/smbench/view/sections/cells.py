"""Figures as cells: written for a person, with value and unit for a program."""

from collections.abc import Callable

from smbench import units
from smbench.analysis.comparison.run_metrics import Unit
from smbench.analysis.numbers.bounds import Bounded, Distribution
from smbench.records import Unknown
from smbench.view.sections.blocks import Cell

NOTHING = "-"

WRITE: dict[Unit, Callable[[float], str]] = {
    "s": units.duration,
    "hz": units.rate,
    "requests": lambda count: f"{count:,.0f}",
    "instance_s": units.duration,
    "usd": units.usd,
    "share": units.share,
}
"""A figure of a comparison or a prediction, in the words of its unit."""


def count(n: int | None, of: str = "requests") -> Cell:
    """A number of things; `-` for None."""
    return Cell(NOTHING) if n is None else Cell(f"{n:,}", n, of)


def duration(seconds: float | Unknown | None) -> Cell:
    """Seconds, written in a readable unit."""
    return written(seconds, units.duration, "s")


def rate(hertz: float | Unknown | None) -> Cell:
    """Per second, written per minute or hour where that reads better."""
    return written(hertz, units.rate, "1/s")


def share(fraction: float | Unknown | None) -> Cell:
    """0 to 1, written in per cent."""
    return written(fraction, units.share, "share")


def usd(amount: float | Unknown | None) -> Cell:
    """US dollars."""
    return written(amount, units.usd, "USD")


def instance_seconds(amount: float | Unknown | None) -> Cell:
    """Seconds that instances were paid for."""
    return written(amount, lambda one: f"{one:,.0f}", "instance-s")


def at(seconds: float | None) -> Cell:
    """An instant, seconds since the run began."""
    return written(seconds, instant, "s since start")


def at_fine(seconds: float | None) -> Cell:
    """An instant to a tenth of a second, 12:05.3."""
    return written(seconds, _to_a_tenth, "s since start")


def bounded(figure: Bounded | Unknown | None, write: Callable[[float], str] = units.duration, unit: str = "s") -> Cell:
    """A figure within bounds; a value only where the bounds meet."""
    if isinstance(figure, Unknown):
        return Cell(NOTHING, reason=figure.reason)
    return Cell(NOTHING) if figure is None else Cell(figure.text(write), figure.value, unit)


def percentile(spread: Distribution, name: str) -> Cell:
    """A percentile of a distribution, by its name; `~` before one that is drawn from too few."""
    cell = bounded(spread.percentile(name))
    return Cell(f"~{cell.text}", cell.value, cell.unit) if cell.unit and spread.is_thin(name) else cell


def written(value: float | Unknown | None, write: Callable[[float], str], unit: str) -> Cell:
    """A number in its unit; `-` for None, and for what is unknown, with its reason."""
    if isinstance(value, Unknown):
        return Cell(NOTHING, reason=value.reason)
    return Cell(NOTHING) if value is None else Cell(write(value), value, unit)


def instant(seconds: float) -> str:
    """An instant of the run as minutes and seconds, 12:05."""
    sign, whole = ("-", round(-seconds)) if round(seconds) < 0 else ("", round(seconds))
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def _to_a_tenth(seconds: float) -> str:
    tenths = round(abs(seconds) * 10)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{instant(tenths // 10)}.{tenths % 10}"


def shortened(text: str, width: int) -> str:
    """On one line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."
