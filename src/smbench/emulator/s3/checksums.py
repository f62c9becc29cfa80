"""S3's checksums of objects: computed where the standard library or a CRC's table can, else held to their length.

The CRCs that zlib lacks are computed in lanes: every lane of a body advances byte by byte beside the others, then the
lanes are joined by what a lane of zero bytes does to a register, which is linear. Polynomials: CRC-32/ISCSI and
CRC-64/NVME of the catalogue of parametrised CRC algorithms.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache, reduce
from operator import xor

import numpy as np
from numpy.typing import NDArray

_LANE_BYTES = 1024
_Registers = NDArray[np.uint64]
SIZES_BYTES = {
    "crc32": 4, "crc32c": 4, "crc64nvme": 8, "md5": 16, "sha1": 20, "sha256": 32, "sha512": 64,
    "xxhash64": 8, "xxhash3": 8, "xxhash128": 16,
}  # fmt: skip  # every algorithm of S3's, by the name in its headers


def is_well_formed(algorithm: str, written: str) -> bool:
    """Whether a header's text is base64 of as many bytes as the algorithm gives."""
    try:
        return len(base64.b64decode(written, validate=True)) == SIZES_BYTES[algorithm]
    except (binascii.Error, ValueError):
        return False


def checksum(algorithm: str, body: bytes) -> str | None:
    """A body's checksum as a header writes it; None for the xxHash family, which nothing here computes."""
    compute = _COMPUTED.get(algorithm)
    return None if compute is None else base64.b64encode(compute(body)).decode("ascii")


class _LanedCrc:
    """A reflected CRC whose register begins with ones and is inverted at the end."""

    def __init__(self, polynomial: int, width_bytes: int) -> None:
        self._width_bytes, self._ones = width_bytes, (1 << 8 * width_bytes) - 1
        table = np.arange(256, dtype=np.uint64)
        for _ in range(8):
            table = (table >> np.uint64(1)) ^ (table & np.uint64(1)) * np.uint64(polynomial)
        self._table, self._listed = table, [int(entry) for entry in table]
        single_bits = np.uint64(1) << np.arange(8 * width_bytes, dtype=np.uint64)
        zeros = np.zeros((_LANE_BYTES, single_bits.size), dtype=np.uint8)
        after = self._advanced(single_bits, zeros).tolist()
        # By place and value of a byte of the register: what a lane of zeros makes of it.
        self._past_a_lane = [
            [_sum(after[8 * place + bit] for bit in range(8) if value >> bit & 1) for value in range(256)]
            for place in range(width_bytes)
        ]

    def __call__(self, body: bytes) -> bytes:
        register = self._ones
        n_lanes = len(body) // _LANE_BYTES
        if n_lanes:
            lanes = np.frombuffer(body, np.uint8, n_lanes * _LANE_BYTES).reshape(n_lanes, _LANE_BYTES)
            ends = self._advanced(np.zeros(n_lanes, dtype=np.uint64), np.ascontiguousarray(lanes.T))
            for end in ends.tolist():
                places = enumerate(register.to_bytes(self._width_bytes, "little"))
                register = _sum(self._past_a_lane[place][value] for place, value in places) ^ end
        for byte in memoryview(body)[n_lanes * _LANE_BYTES :]:
            register = self._listed[(register ^ byte) & 0xFF] ^ register >> 8
        return (register ^ self._ones).to_bytes(self._width_bytes, "big")

    def _advanced(self, registers: _Registers, rows: NDArray[np.uint8]) -> _Registers:
        """Each register after its column of bytes."""
        for row in rows:
            registers = self._table[(registers ^ row) & np.uint64(0xFF)] ^ (registers >> np.uint64(8))
        return registers


def _sum(values: Iterable[int]) -> int:
    """In the field of two elements, where adding is exclusive or."""
    return reduce(xor, values, 0)


@cache  # a table takes some milliseconds: made when first asked for
def _crc32c() -> _LanedCrc:
    return _LanedCrc(0x82F63B78, 4)


@cache
def _crc64nvme() -> _LanedCrc:
    return _LanedCrc(0x9A6C9329AC4BC9B5, 8)


_COMPUTED: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "crc32c": lambda body: _crc32c()(body),
    "crc64nvme": lambda body: _crc64nvme()(body),
    "md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha512": lambda body: hashlib.sha512(body).digest(),
}
