"""Goal: whatever a text from outside holds, a terminal and a file get it as something to read.

Method: every control character there is, by itself and in the midst of text, through each way out.
"""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from smbench.printable import PrintableStream, printable, printable_json, printable_values, unguarded
from smbench.view.console import PlainTextConsole

CONTROLS = [*map(chr, (*range(0x20), *range(0x7F, 0xA0))), "\u2028", "\u2029"]
TURNERS = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\ufeff"]
HOSTILE = "\x1b]0;x\x07\x9b2J\u202e\x7f\r"
SEEN = "\\x1b]0;x\\x07\\x9b2J\\u202e\\x7f\\x0d"


def has_controls(text: str) -> bool:
    return any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") and one not in "\n\t" for one in text)


def printed(*renderables: object, **settings: object) -> str:
    out = io.StringIO()
    PlainTextConsole(file=out, width=60, **settings).print(*renderables)
    return out.getvalue()


@pytest.mark.slow  # looks at every character there is
def test_no_control_character_is_left_out() -> None:
    every = map(chr, range(0x110000))
    assert [one for one in every if unicodedata.category(one) in ("Cc", "Zl", "Zp")] == CONTROLS


@pytest.mark.parametrize("character", [*CONTROLS, *TURNERS, "\ud800"], ids=ascii)
def test_each_control_character_becomes_its_escape_and_line_ends_and_tabs_stay(character: str) -> None:
    escape = f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    assert printable(f"a{character}b") == (f"a{character}b" if character in "\n\t" else f"a{escape}b")


@pytest.mark.slow
@given(st.text())
def test_what_is_printable_already_stays_as_it_is_and_nothing_else_is_left(text: str) -> None:
    assert not has_controls(printable(text))
    assert printable(printable(text)) == printable(text)
    if not has_controls(text) and not set(text) & set(TURNERS):
        assert printable(text) == text


@pytest.mark.slow
@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_without_control_characters_means_the_same(value: object) -> None:
    document = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    try:
        document.decode()
    except UnicodeDecodeError:
        return  # no writer of ours makes such bytes
    clean = printable_json(document)
    assert not has_controls(clean.decode())
    assert json.loads(clean) == value
    assert not has_controls(json.dumps(printable_values(value), ensure_ascii=False))


@pytest.mark.parametrize(
    "text", ["a[/b]", "warm[red]up", "[/INST]", "[link=http://x]y[/link]", ":smile:", "[", "\\[b]"]
)
def test_a_console_prints_a_text_as_it_is_whatever_it_looks_like(text: str) -> None:
    table = Table(title=text, caption=text)
    table.add_column(text)
    table.add_row(text)
    assert printed(text) == f"{text}\n"
    assert printed(table).count(text) == 4


def test_no_control_character_passes_a_console_but_its_own() -> None:
    table = Table()
    table.add_row(HOSTILE, Text(HOSTILE))
    assert SEEN in printed(HOSTILE)
    assert SEEN in printed(table)
    for shown in (printed(HOSTILE), printed(Text(HOSTILE)), printed(table)):
        assert not has_controls(shown)
    assert printed(Text("a\x1bb", "bold"), force_terminal=True) == "\x1b[1ma\\x1bb\x1b[0m\n"


def test_a_cell_is_as_wide_as_what_is_printed_of_it() -> None:
    table = Table()
    table.add_row("\x1b[2J", "|")
    (row,) = [line for line in printed(table).splitlines() if "x1b" in line]
    assert "\\x1b[2J" in row


def test_a_guarded_stream_writes_what_is_printable_in_its_encoding() -> None:
    raw = io.BytesIO()
    stream = PrintableStream(io.TextIOWrapper(raw, encoding="ascii"))
    print("é", HOSTILE, file=stream)
    stream.flush()
    assert raw.getvalue().decode() == f"\\xe9 {SEEN}\n"
    assert unguarded(stream) is stream.unguarded  # type: ignore[arg-type]
