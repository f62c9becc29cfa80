"""Bodies that differ from request to request and stay what they are.

| format | what is added | seen by a reader of the format |
|---|---|---|
| a JSON object | a last member `smbench_seq`, a text of twelve digits | one more member |
| other JSON, plain text | forty blanks and tabs at the end, the number in binary | nothing |
| PNG | a tEXt chunk before the last | nothing: an ancillary chunk |
| JPEG | a comment segment after the first marker | nothing |

Other formats (CSV, arrays, archives, unknown bytes) have no place that surely does no harm, so they are refused.
"""

import json
import struct
import zlib

_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG_START = b"\xff\xd8"
_BLANKS = str.maketrans("01", " \t")


def make_unique(body: bytes, content_type: str, seq: int) -> bytes:
    """The body with `seq` worked into it: different for each `seq`, all of one size.

    Raises:
        ValueError: the format has no place for it; a sentence's end, "is text/csv, which ...".
    """
    media_type = _media_type(content_type)
    if _is_json_type(media_type):
        return _json(body, seq)
    if media_type == "text/plain":
        return body + _blanks(seq)
    if body.startswith(_PNG_START) and body.endswith(_PNG_END):
        return body[: -len(_PNG_END)] + _png_text(seq) + _PNG_END
    if body.startswith(_JPEG_START):
        note = _digits(seq)
        return _JPEG_START + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + body[len(_JPEG_START) :]
    raise ValueError(f"is {media_type}, which cannot be made unique; JSON, plain text, PNG and JPEG can")


def check_unique(body: bytes, content_type: str) -> None:
    """Refuse, once and before the run, what `make_unique` would spoil. Raises ValueError too."""
    make_unique(body, content_type, 0)
    if _is_json_type(_media_type(content_type)) and not is_json(body):
        raise ValueError("is called JSON and is none, so it cannot be made unique")


def is_json(body: bytes) -> bool:
    """Whether the whole body is one JSON value."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _media_type(content_type: str) -> str:
    return content_type.split(";")[0].strip().lower()


def _is_json_type(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _json(body: bytes, seq: int) -> bytes:
    text = body.rstrip()
    if not (text.endswith(b"}") and text.lstrip().startswith(b"{")):
        return body + _blanks(seq)
    members = text[:-1].rstrip()
    comma = b"" if members.endswith(b"{") else b","
    return members + comma + b'"smbench_seq":"' + _digits(seq) + b'"}'


def _digits(seq: int) -> bytes:
    return b"%012d" % seq


def _blanks(seq: int) -> bytes:
    return f"{seq:040b}".translate(_BLANKS).encode()


def _png_text(seq: int) -> bytes:
    chunk = b"tEXtsmbench\x00" + _digits(seq)
    return struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
