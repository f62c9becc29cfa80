"""Goal: what an event stream's reader gives is what was written, whole and in order; anything else is refused.

Method: botocore's EventStreamBuffer is the reference reader. Streams from hypothesis, cut anywhere, torn at every
byte, and with any bit turned.
"""

import itertools
import struct
from binascii import crc32
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from smbench.wire.event_stream import (
    FRAME_BYTES,
    HEADERS_MAX_BYTES,
    PAYLOAD_MAX_BYTES,
    Decoder,
    UnreadableStream,
    encoded,
)

Message = tuple[dict[str, str], bytes]
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
MESSAGES = st.lists(st.tuples(st.dictionaries(NAMES, TEXT, max_size=4), st.binary(max_size=60)), max_size=5)
PART = encoded({":message-type": "event", ":event-type": "PayloadPart"}, b"one")


def read(pieces: Sequence[bytes]) -> tuple[list[Message], bool]:
    """The messages, and whether nothing more was to come."""
    came: list[Message] = []
    decoder = Decoder(lambda headers, payload: came.append((dict(headers), payload)))
    for piece in pieces:
        decoder.feed(piece)
    return came, decoder.is_between


def framed(headers: bytes, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A message with these headers as they are, and sound checksums; `length` may be a lie."""
    start = struct.pack(">II", FRAME_BYTES + len(headers) + len(payload) if length is None else length, len(headers))
    start += struct.pack(">I", crc32(start))
    whole = start + headers + payload
    return whole + struct.pack(">I", crc32(whole))


def of_botocore(data: bytes) -> list[Message]:
    buffer: Any = EventStreamBuffer()  # its stub has other types than it
    buffer.add_data(data)
    return [(dict(one.headers), one.payload) for one in buffer]


@pytest.mark.slow
@given(MESSAGES, st.lists(st.integers(0, 600), max_size=6))
def test_what_is_written_is_read_by_us_and_by_botocore_however_it_is_cut(
    messages: list[Message], cuts: list[int]
) -> None:
    stream = b"".join(encoded(headers, payload) for headers, payload in messages)
    borders = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    pieces = [stream[start:end] for start, end in itertools.pairwise(borders)]
    assert read(pieces) == (messages, True)
    assert of_botocore(stream) == messages


def test_a_stream_torn_at_any_byte_gives_what_was_whole_and_says_that_more_was_to_come() -> None:
    stream = PART + encoded({"a": "b"}, b"two")
    borders = {0: 0, len(PART): 1, len(stream): 2}
    for n in range(len(stream) + 1):
        came, is_between = read([stream[:n]])
        assert len(came) == sum(border <= n for border in borders) - 1
        assert is_between == (n in borders)


def test_any_bit_turned_is_refused() -> None:
    for place in range(8 * len(PART)):
        damaged = bytearray(PART)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(UnreadableStream):
            read([bytes(damaged)])


def test_what_was_whole_before_the_damage_is_given() -> None:
    came: list[bytes] = []
    decoder = Decoder(lambda _, payload: came.append(payload))
    with pytest.raises(UnreadableStream):
        decoder.feed(PART + PART[:-1] + bytes([PART[-1] ^ 1]))
    assert came == [b"one"]


@pytest.mark.parametrize(
    ("headers_bytes", "length"),
    [
        (0, FRAME_BYTES - 1),
        (1, FRAME_BYTES),
        (0, FRAME_BYTES + PAYLOAD_MAX_BYTES + 1),
        (HEADERS_MAX_BYTES + 1, FRAME_BYTES + HEADERS_MAX_BYTES + 1),
        (0, 2**32 - 1),
    ],
)
def test_a_length_that_cannot_be_or_is_above_the_bound_is_refused_at_once(headers_bytes: int, length: int) -> None:
    lengths = struct.pack(">II", length, headers_bytes)
    with pytest.raises(UnreadableStream, match="a length"):
        read([lengths + struct.pack(">I", crc32(lengths))])


def test_headers_of_other_types_are_passed_over() -> None:
    others: Mapping[int, bytes] = {
        0: b"", 1: b"", 2: b"1", 3: b"12", 4: b"1234", 5: b"12345678", 6: b"\x00\x02ab", 8: b"12345678", 9: b"x" * 16,
    }  # fmt: skip
    headers = b"".join(bytes([2]) + b"h%d" % kind + bytes([kind]) + value for kind, value in others.items())
    message = framed(headers + b"\x01t\x07\x00\x02hi", b"body")
    assert read([message]) == ([({"t": "hi"}, b"body")], True)
    assert of_botocore(message)[0][1] == b"body"


@pytest.mark.parametrize(
    "headers",
    [
        b"\x01",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x07\x00",
        b"\x01a\x07\x00\x05ab",
        b"\x01a\x05123",
        b"\x01a\x00\x01a\x00",
        b"\x01a\x07\x00\x01\xff",
    ],
)
def test_broken_headers_are_refused_though_their_checksums_are_sound(headers: bytes) -> None:
    with pytest.raises(UnreadableStream, match="header"):
        read([framed(headers)])
