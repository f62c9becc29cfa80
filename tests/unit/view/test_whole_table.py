"""Goal: a report in a file, a pipe or a narrow terminal loses no figure, and its lines end where their text ends."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.view.console import PlainTextConsole, WithoutPadding
from smbench.view.report.whole_table import WholeTable

CELLS = st.text("0123456789,.", min_size=1, max_size=12)


def printed(table: WholeTable, width: int) -> str:
    text = io.StringIO()
    console = PlainTextConsole(file=WithoutPadding(text), width=width, color_system=None)
    console.print(table)
    return text.getvalue()


@pytest.mark.slow
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(40, 120))
def test_every_figure_is_printed_whole_at_any_width(rows: list[tuple[str, ...]], width: int) -> None:
    table = WholeTable(("Latency", "left"), *((f"p{place}", "right") for place in range(4)))
    for number, row in enumerate(rows):
        table.add_row(f"label{number}", *row)
    lines = printed(table, width).splitlines()
    assert all(len(line) <= width for line in lines)
    for number, row in enumerate(rows):
        own = [line.split()[1:] for line in lines if line.startswith(f"label{number}")]
        assert [cell for cells in own for cell in cells] == list(row)


def test_columns_that_do_not_fit_follow_below_with_the_labels_again() -> None:
    table = WholeTable(("Rates", "left"), ("offered", "right"), ("achieved", "right"))
    table.add_row("burst", "15.0/s", "14.9/s")
    assert printed(table, 80) == "Rates  offered  achieved\nburst   15.0/s    14.9/s\n"
    assert printed(table, 20) == "Rates  offered\nburst   15.0/s\nRates  achieved\nburst    14.9/s\n"


@pytest.mark.slow
@given(st.lists(st.text("ab \n", max_size=8)))
def test_lines_end_where_their_text_ends_however_they_are_written(pieces: list[str]) -> None:
    written = io.StringIO()
    stream = WithoutPadding(written)
    for piece in pieces:
        stream.write(piece)
    whole, _, rest = "".join(pieces).rpartition("\n")
    stream.flush()
    expected = "".join(f"{line.rstrip(' ')}\n" for line in whole.split("\n")) if _ else ""
    assert written.getvalue() == expected + rest
