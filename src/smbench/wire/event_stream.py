"""Event-stream messages: application/vnd.amazon.eventstream, written, and read from bytes that may be cut anywhere.

A message is its length, the length of its headers and a checksum of these two; then headers, payload, and a checksum of
all before. Lengths and checksums (CRC-32) are four bytes, big-endian; a header is a name, a type and a value. Format:
Smithy, "Event stream specification".
"""

from binascii import crc32
from collections.abc import Callable, Mapping
from struct import Struct, error

from smbench.wire.http1 import UnreadableAnswer

HEADERS_MAX_BYTES = 128 * 1024  # as botocore
PAYLOAD_MAX_BYTES = 24 * 1024 * 1024  # as botocore
FRAME_BYTES = 16  # of a message without headers and payload

_PRELUDE = Struct(">III")
_LENGTHS_BYTES = 8
_CRC, _SHORT = Struct(">I"), Struct(">H")
_STRING = 7
_FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # of values by type; types 6 and 7 say their length
_COUNTED = (6, _STRING)

Taken = Callable[[Mapping[str, str], bytes], object]
"""Called with each whole message: its headers that are text, and its payload."""


class UnreadableStream(UnreadableAnswer):
    """What came is no event stream: a checksum differs, a length is too large or impossible, or headers are broken."""


class Decoder:
    """Reads one stream.

    Args:
        taken: Called in order, from `feed`.
    """

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._came = bytearray()

    @property
    def is_between(self) -> bool:
        """No message has begun that is not whole."""
        return not self._came

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            UnreadableStream: after the messages that were whole before; the decoder is of no use any more.
        """
        came, start = self._came, 0
        came += data
        while len(came) - start >= _PRELUDE.size:
            length, headers_bytes, checksum = _PRELUDE.unpack_from(came, start)
            _check(came, start, start + _LENGTHS_BYTES, checksum)
            payload_bytes = length - headers_bytes - FRAME_BYTES
            if headers_bytes > HEADERS_MAX_BYTES or not 0 <= payload_bytes <= PAYLOAD_MAX_BYTES:
                raise UnreadableStream("a length")
            end = start + length - _CRC.size
            if len(came) < end + _CRC.size:
                break
            _check(came, start, end, *_CRC.unpack_from(came, end))
            begin = start + _PRELUDE.size
            headers = _headers(bytes(came[begin : begin + headers_bytes]))
            self._taken(headers, bytes(came[begin + headers_bytes : end]))
            start = end + _CRC.size
        del came[:start]


def encoded(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; its headers are text."""
    lines = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = _PRELUDE.pack(FRAME_BYTES + len(lines) + len(payload), len(lines), 0)[:_LENGTHS_BYTES]
    message = b"".join((lengths, _CRC.pack(crc32(lengths)), lines, payload))
    return message + _CRC.pack(crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return b"".join((bytes([len(name)]), name, bytes([_STRING]), _SHORT.pack(len(value)), value))


def _check(came: bytearray, start: int, end: int, checksum: int) -> None:
    with memoryview(came) as view:
        if crc32(view[start:end]) != checksum:
            raise UnreadableStream("a checksum")


def _headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    names: set[bytes] = set()
    at = 0
    try:
        while at < len(data):
            begin = at + 1
            name, kind = data[begin : begin + data[at]], data[begin + data[at]]
            at = begin + data[at] + 1
            if name in names:
                raise UnreadableStream("a header twice")
            names.add(name)
            size = _FIXED_BYTES[kind] if kind not in _COUNTED else _SHORT.unpack_from(data, at)[0]
            at += 0 if kind not in _COUNTED else _SHORT.size
            if at + size > len(data):
                raise UnreadableStream("headers")
            if kind == _STRING:
                headers[name.decode()] = data[at : at + size].decode()
            at += size
    except (LookupError, UnicodeDecodeError, error) as broken:
        raise UnreadableStream("headers") from broken
    return headers
