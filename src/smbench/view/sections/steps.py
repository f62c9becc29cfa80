"""What a report says of steps and stairs: the figures of each step, and why the sending ended."""

from smbench.analysis.latency.steps import Step, StepsOfPhase
from smbench.view.sections.blocks import Cell, Column, Judged, Row, Section, Table
from smbench.view.sections.cells import count, percentile, rate

_PERCENTILES = ("p50", "p95", "p99")


def steps(judged: Judged) -> Section | None:
    """A table for each phase that has steps; None where none has."""
    tables = tuple(_table(phase) for phase in judged.summary.steps if phase.steps)
    return Section("steps", "Step by step", tables) if tables else None


def _table(phase: StepsOfPhase) -> Table:
    is_stairs = phase.kind == "stairs"
    heads = ("users" if is_stairs else "offered", "due", "sent", "completed", *_PERCENTILES, "errors")
    columns = (Column("step", is_text=True), *map(Column, heads))
    notes = []
    if phase.stopped:
        notes.append(f"Stopped by its own condition: {phase.stopped}.")
    if missing := phase.n_planned - len(phase.steps):
        notes.append(f"{missing:,} of {phase.n_planned:,} steps have no request.")
    rows = tuple(_row(step, is_stairs=is_stairs) for step in phase.steps)
    return Table(f"Steps of {phase.name}", f"Steps of {phase.name}, one after another", columns, rows, tuple(notes))


def _row(step: Step, *, is_stairs: bool) -> Row:
    level = count(round(step.level), "users") if is_stairs else rate(step.level)
    rates = step.rates
    return Row(
        (
            Cell(str(step.number)),
            level,
            count(rates.n_offered),
            rate(rates.achieved_hz),
            rate(rates.completed_hz),
            *(percentile(step.sojourn, name) for name in _PERCENTILES),
            count(step.n_bad),
        )
    )
