"""Goal: a body made unique is different for each request and still what it was.

Method: hypothesis over JSON documents; the PNG's own rules (chunk lengths, checksums) read back by hand.
"""

import json
import struct
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.scenario.payloads.unique import check_unique, make_unique
from smbench.scenario.starter import shipped_folder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SEQS = st.lists(st.integers(0, 10**9), min_size=2, max_size=5, unique=True)
BLANKS = st.text(" \n\t\r", max_size=3)


@pytest.mark.slow
@settings(max_examples=60)
@given(document=JSON, seqs=SEQS, before=BLANKS, after=BLANKS, indent=st.sampled_from([None, 2]))
def test_json_keeps_its_value_but_for_one_member(
    document: object, seqs: list[int], before: str, after: str, indent: int | None
) -> None:
    body = (before + json.dumps(document, indent=indent) + after).encode()
    check_unique(body, "application/json; charset=utf-8")
    bodies = [make_unique(body, "application/json", seq) for seq in seqs]
    assert len(set(bodies)) == len(seqs)
    assert len({len(each) for each in bodies}) == 1
    for seq, each in zip(seqs, bodies, strict=True):
        wanted = {**document, "smbench_seq": f"{seq:012d}"} if isinstance(document, dict) else document
        assert json.loads(each) == wanted


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        found.append((kind, data))
        at += 12 + length
    return found


@pytest.mark.slow
@given(seqs=SEQS)
def test_a_png_keeps_every_chunk_and_gains_a_comment(seqs: list[int]) -> None:
    body = (shipped_folder() / "payloads" / "gradient.png").read_bytes()
    for seq in seqs:
        *before, (kind, data), last = chunks(make_unique(body, "image/png", seq))
        assert [*before, last] == chunks(body)
        assert (kind, data) == (b"tEXt", b"smbench\x00%012d" % seq)


def test_a_jpeg_gains_a_comment_segment_behind_its_first_marker() -> None:
    body = b"\xff\xd8\xff\xe0rest"
    made = make_unique(body, "image/jpeg", 7)
    assert made == b"\xff\xd8" + b"\xff\xfe\x00\x0e000000000007" + b"\xff\xe0rest"


def test_plain_text_changes_only_in_blanks_at_its_end() -> None:
    made = [make_unique(b"a prompt", "text/plain", seq) for seq in range(100)]
    assert len(set(made)) == 100
    assert {each.rstrip() for each in made} == {b"a prompt"}


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-npy", "application/octet-stream", "image/png"])
def test_formats_without_a_harmless_place_are_refused(content_type: str) -> None:
    with pytest.raises(ValueError, match="cannot be made unique"):
        make_unique(b"1,2\n", content_type, 0)


def test_the_largest_row_of_a_run_still_differs_from_its_neighbour() -> None:
    made = [make_unique(b"[]", "application/json", seq) for seq in (10**11, 10**11 + 1, 10**11 + 2)]
    assert all(a != b for a, b in pairwise(made))
