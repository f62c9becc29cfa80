"""The part of CBOR (RFC 8949) that smithy's rpc-v2-cbor needs, both ways.

Written: integers, doubles, byte and text strings, arrays, maps, true, false, null, and tag 1 (epoch seconds) for
datetimes; lengths are always definite. Read: the same, and indefinite lengths, half and single floats, tag 0.
"""

import struct
from datetime import UTC, datetime
from typing import Any

DEPTH_MAX = 64
_MAJOR_UINT, _MAJOR_NEGATIVE, _MAJOR_BYTES, _MAJOR_TEXT, _MAJOR_ARRAY, _MAJOR_MAP, _MAJOR_TAG = range(7)
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_WIDTHS = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
_INDEFINITE = -1


class CborError(ValueError):
    """The bytes are no CBOR, or CBOR that no AWS request contains."""


class _BreakMark(Exception):  # noqa: N818  # a mark in the bytes, not an error
    """The end mark of an item of indefinite length."""


def encode(value: Any) -> bytes:
    """CBOR of dicts, lists, tuples, str, bytes, int, float, bool, None and datetime.

    Raises:
        CborError: another type, or an integer of more than 64 bits.
    """
    out: list[bytes] = []
    _encode(value, out)
    return b"".join(out)


def decode(data: bytes) -> Any:
    """The one value in `data`.

    Raises:
        CborError: cut short, trailing bytes, too deep, or outside the subset.
    """
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except _BreakMark:
        raise CborError("a break outside an item of indefinite length") from None
    if reader.position != len(data):
        raise CborError(f"{len(data) - reader.position} bytes follow the value")
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for code, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * width):
            return bytes((major << 5 | code,)) + number.to_bytes(width, "big")
    raise CborError("an integer of more than 64 bits")


def _encode(value: Any, out: list[bytes]) -> None:
    if isinstance(value, str):
        text = value.encode()
        out.append(_head(_MAJOR_TEXT, len(text)) + text)
    elif value is None or isinstance(value, bool):
        out.append({None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value])
    elif isinstance(value, int):
        out.append(_head(_MAJOR_UINT, value) if value >= 0 else _head(_MAJOR_NEGATIVE, -1 - value))
    elif isinstance(value, float):
        out.append(b"\xfb" + struct.pack(">d", value))
    elif isinstance(value, bytes):
        out.append(_head(_MAJOR_BYTES, len(value)) + value)
    elif isinstance(value, datetime):
        out.append(_head(_MAJOR_TAG, 1) + b"\xfb" + struct.pack(">d", value.timestamp()))
    elif isinstance(value, dict):
        out.append(_head(_MAJOR_MAP, len(value)))
        for key, item in value.items():
            _encode(key, out)
            _encode(item, out)
    elif isinstance(value, list | tuple):
        out.append(_head(_MAJOR_ARRAY, len(value)))
        for item in value:
            _encode(item, out)
    else:
        raise CborError(f"no CBOR for {type(value).__name__}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def item(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise CborError(f"nested deeper than {DEPTH_MAX}")
        first = self._take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            return self._simple(low)
        number = self._number(major, low)
        if major == _MAJOR_UINT:
            return number
        if major == _MAJOR_NEGATIVE:
            return -1 - number
        if major in (_MAJOR_BYTES, _MAJOR_TEXT):
            return self._string(major, number, depth)
        if major == _MAJOR_ARRAY:
            return list(self._items(number, depth))
        if major == _MAJOR_MAP:
            return self._map(number, depth)
        return self._tagged(number, depth)

    def _take(self, n_bytes: int) -> bytes:
        start = self.position
        if start + n_bytes > len(self.data):
            raise CborError("cut short")
        self.position = start + n_bytes
        return self.data[start : self.position]

    def _number(self, major: int, low: int) -> int:
        if low < 24:
            return low
        if low == 31 and major in (_MAJOR_BYTES, _MAJOR_TEXT, _MAJOR_ARRAY, _MAJOR_MAP):
            return _INDEFINITE
        if low not in _WIDTHS:
            raise CborError(f"reserved length {low}")
        form = _WIDTHS[low]
        number: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return number

    def _simple(self, low: int) -> Any:
        if low in _SIMPLE:
            return _SIMPLE[low]
        if low in _FLOATS:
            form = _FLOATS[low]
            return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        if low == 31:
            raise _BreakMark
        raise CborError(f"simple value {low}")

    def _string(self, major: int, length: int, depth: int) -> Any:
        if length == _INDEFINITE:
            chunks = list(self._items(_INDEFINITE, depth))
            kind = bytes if major == _MAJOR_BYTES else str
            if not all(type(chunk) is kind for chunk in chunks):
                raise CborError("a chunk of another kind than its string")
            return kind().join(chunks)
        data = self._take(length)
        if major == _MAJOR_BYTES:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise CborError("text that is not UTF-8") from None

    def _items(self, length: int, depth: int) -> Any:
        if length != _INDEFINITE:
            if length > len(self.data) - self.position:  # each item takes a byte: refuse before allocating
                raise CborError("cut short")
            for _ in range(length):
                yield self._no_break(depth)
            return
        while True:
            try:
                item = self.item(depth + 1)
            except _BreakMark:
                return
            yield item

    def _no_break(self, depth: int) -> Any:
        try:
            return self.item(depth + 1)
        except _BreakMark:
            raise CborError("a break inside an item of definite length") from None

    def _map(self, length: int, depth: int) -> dict[Any, Any]:
        flat = list(self._items(length if length == _INDEFINITE else 2 * length, depth))
        if len(flat) % 2:
            raise CborError("a key without a value")
        if not all(isinstance(key, str) for key in flat[::2]):
            raise CborError("a key that is not text")
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self._no_break(depth)
        try:
            if tag == 1 and isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            if tag == 0 and isinstance(value, str):
                return datetime.fromisoformat(value)
        except (ValueError, OverflowError, OSError):
            raise CborError("an instant out of range") from None
        raise CborError(f"tag {tag}")
