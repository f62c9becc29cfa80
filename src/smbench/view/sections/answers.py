"""What a report says of synchronous answers: how large bodies were, and which answers were wrong."""

from smbench import units
from smbench.analysis.rows.sizes import BodySizes
from smbench.records import WrongAnswer
from smbench.view.sections.blocks import Cell, Column, Judged, Row, Section, Table
from smbench.view.sections.cells import count, written

_FAULTS = {
    WrongAnswer.SIZE: "had another size",
    WrongAnswer.CONTENT_TYPE: "had another content type",
    WrongAnswer.JSON: "had other content",
}


def answers(judged: Judged) -> Section | None:
    """Bodies sent and received, and the wrong ones; None where no synchronous answer came."""
    found = judged.summary.bodies
    if found is None:
        return None
    notes = []
    if found.n_wrong:
        faults = ", ".join(f"{n:,} {_FAULTS[wrong]}" for wrong, n in found.wrong.items())
        notes.append(f"{found.n_wrong:,} of {found.answered.n:,} answers were wrong and count as failed: {faults}.")
    rows = (
        Row((Cell("sent"), *_sizes(found.sent, "requests"))),
        Row((Cell("answered"), *_sizes(found.answered, "answers"))),
    )
    columns = (Column("bodies", is_text=True), *map(Column, ("n", "p50", "p95", "max", "together")))
    return Section("answers", "Bodies", (Table("Bodies", "Sizes of bodies", columns, rows, tuple(notes)),))


def _sizes(sizes: BodySizes, of: str) -> tuple[Cell, ...]:
    figures = (sizes.p50_bytes, sizes.p95_bytes, sizes.max_bytes, sizes.total_bytes)
    return (count(sizes.n, of), *(written(one, units.size, "bytes") for one in figures))
