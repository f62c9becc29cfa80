"""Bodies in S3's own framing, `aws-chunked`: chunks with their sizes, signed or not, and trailers after the last.

A client that streams does not know its body's checksum when it sends the headers; the checksum follows as a trailer.
HTTP's own `transfer-encoding: chunked` may lie around all of it, and is taken off by the server before.

Source: S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple chunks"
and "Including trailing headers" (2026-11); the refusal of small chunks as S3 words it in public reports.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest
from smbench.wire.sigv4 import EMPTY_SHA256, payload_hash

STREAMING, SIGNED = "STREAMING-", "STREAMING-AWS4-HMAC-SHA256-"  # what is signed in the place of the body's hash
CHUNK_MIN_BYTES = 8192  # of every chunk but the last
_SIGNED_TRAILER = "x-amz-trailer-signature"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})((?:;[^\r\n]*)?)\r\n")
_SIGNATURE = re.compile(rb";chunk-signature=([0-9a-f]{64})")
_PAYLOAD, _TRAILER = "AWS4-HMAC-SHA256-PAYLOAD", "AWS4-HMAC-SHA256-TRAILER"


@dataclass(frozen=True, slots=True)
class Chunk:
    data: bytes
    signature: str  # in hex; empty where the chunk has none


@dataclass(frozen=True, slots=True)
class Framed:
    """A body in frames. `chunks` end with the empty one; names in `trailers` are lower case, as sent otherwise."""

    chunks: list[Chunk]
    trailers: dict[str, str]


def is_framed(headers: Mapping[str, str]) -> bool:
    """Whether the body is in frames: by the hash that was signed, or by its encoding."""
    return headers.get("x-amz-content-sha256", "").startswith(STREAMING) or "aws-chunked" in _encodings(headers)


def unframed(request: HttpRequest) -> HttpRequest:
    """The request as if it had been sent in one piece: body whole, trailers among the headers, encoding without ours.

    Raises:
        ServiceError: the frames are broken or too small, or are not what the headers promised.
    """
    headers = dict(request.headers)
    framed = read(request.body)
    body = b"".join(chunk.data for chunk in framed.chunks)
    promised = headers.pop("x-amz-decoded-content-length", None)
    if promised is None:
        raise ServiceError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if promised != str(len(body)):
        raise _incomplete("You did not provide the number of bytes specified by the Content-Length HTTP header")
    announced = {name.strip().lower() for name in headers.pop("x-amz-trailer", "").split(",")} - {""}
    if announced != framed.trailers.keys() - {_SIGNED_TRAILER}:
        raise _malformed_trailer()
    headers |= {name: value for name, value in framed.trailers.items() if name in announced}
    kept = [encoding for encoding in _encodings(headers) if encoding != "aws-chunked"]
    headers.pop("content-encoding", None)
    if kept:
        headers["content-encoding"] = ",".join(kept)
    return replace(request, headers=headers, body=body)


def read(body: bytes) -> Framed:
    """The frames of a body.

    Raises:
        ServiceError: IncompleteBody, InvalidChunkSizeError or MalformedTrailerError.
    """
    chunks: list[Chunk] = []
    at = 0
    while True:
        head = _SIZE.match(body, at)
        if head is None:
            raise _incomplete("The request body terminated unexpectedly")
        size, start = int(head[1], 16), head.end()
        signature = _SIGNATURE.fullmatch(head[2])
        chunks.append(Chunk(body[start : start + size], signature[1].decode() if signature else ""))
        if not size:
            return Framed(chunks, _trailers(body[start:]))
        at = start + size + 2
        if body[at - 2 : at] != b"\r\n":
            raise _incomplete("The request body terminated unexpectedly")
        _check_sizes(chunks)


def _check_sizes(chunks: list[Chunk]) -> None:
    if len(chunks) < 2 or len(chunks[-2].data) >= CHUNK_MIN_BYTES:
        return
    raise ServiceError(
        "InvalidChunkSizeError",
        f"Only the last chunk is allowed to have a size less than {CHUNK_MIN_BYTES} bytes",
        details={"Chunk": str(len(chunks)), "BadChunkSize": str(len(chunks[-2].data))},
    )


def is_signed_throughout(framed: Framed, seed: str, sign: Callable[[str, str], str]) -> bool:
    """Whether every chunk, and the trailers after the last, carry the signature that follows from the one before.

    Args:
        seed: The signature of the request's head, in hex.
        sign: Gives the signature, in hex, by an algorithm's name and what is signed.
    """
    before = seed
    for chunk in framed.chunks:
        before = sign(_PAYLOAD, f"{before}\n{EMPTY_SHA256}\n{payload_hash(chunk.data)}")
        if chunk.signature != before:
            return False
    signed = {name: value for name, value in framed.trailers.items() if name != _SIGNED_TRAILER}
    if not signed:
        return True
    written = "".join(f"{name}:{value}\n" for name, value in sorted(signed.items()))
    signature = sign(_TRAILER, f"{before}\n{payload_hash(written.encode('latin-1'))}")
    return framed.trailers.get(_SIGNED_TRAILER) == signature


def _trailers(text: bytes) -> dict[str, str]:
    """Lines up to an empty one; clients end them by either kind of line end."""
    trailers: dict[str, str] = {}
    for line in text.decode("latin-1").replace("\r\n", "\n").split("\n"):
        name, colon, value = line.partition(":")
        if not line:
            continue
        if not colon or not name.strip():
            raise _malformed_trailer()
        trailers[name.strip().lower()] = value.strip()
    return trailers


def _encodings(headers: Mapping[str, str]) -> list[str]:
    written = headers.get("content-encoding", "").split(",")
    return [encoding.strip() for encoding in written if encoding.strip()]


def _incomplete(why: str) -> ServiceError:
    return ServiceError("IncompleteBody", why)


def _malformed_trailer() -> ServiceError:
    return ServiceError(
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
