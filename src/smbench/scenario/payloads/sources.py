"""Reads one set of payloads from its source: any form, and every mistake in it as a sentence.

Each form reads at most `FILE_MAX_BYTES` of a file, unpacks no more than that, and writes nothing.
"""

import codecs
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from smbench.scenario.model import PayloadSet
from smbench.scenario.payloads.archive import unpacked
from smbench.scenario.payloads.documents import decoded, encoded, texts_of
from smbench.scenario.payloads.invoke_lines import (
    FILE_MAX_BYTES,
    WRONG_MAX,
    InvokeLine,
    InvokeLines,
    numbered_lines,
    read_lines,
    read_pickled,
)
from smbench.scenario.payloads.unique import is_json
from smbench.scenario.values.files import expand, is_inside, read_regular

_OF_TEXT = ("lines", "documents", "bodies")
_UNPACKED = {"archive": ("gzip",)}  # what is taken as it is
_INSTEAD = {"archive": ", and name a tar archive or its files"}
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}
JSON_TYPE = "application/json"
OPAQUE_TYPE = "application/octet-stream"

# An instance of our own: the machine's tables would make the same scenario differ from host to host.
_TYPES = mimetypes.MimeTypes()
for _type, _extension in (
    ("application/jsonlines", ".jsonl"),
    ("application/x-npy", ".npy"),
    ("application/vnd.apache.parquet", ".parquet"),
):
    _TYPES.add_type(_type, _extension)


@dataclass(frozen=True, slots=True)
class Piece:
    """A body, with the class and the ContentType that it has unless the scenario says otherwise."""

    name: str
    stem: str
    content: bytes
    content_type: str


@dataclass(slots=True)
class SourceRead:
    """What came of a source in its stable order; what is wrong, and what was left out, as ends of sentences."""

    entries: list[Piece | InvokeLine] = field(default_factory=list)
    stem: str = ""
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_source(part: PayloadSet, base_dir: Path) -> SourceRead:
    """The payloads of a set; of one that is `synthetic` there is nothing to read.

    Raises:
        OSError: a file cannot be read.
    """
    (source,) = part.named
    if source == "files":
        return _files(part, base_dir)
    path = base_dir / str(getattr(part, source))
    if source in _OF_TEXT and (packing := _packing(path)):
        return SourceRead(stem=path.stem, wrong=[f"is packed by {packing}, and its lines are not payloads: unpack it"])
    if source in _OF_TEXT and _is_utf_16(path):  # cut at its line ends it would be halves of characters
        return SourceRead(stem=path.stem, wrong=["is UTF-16 text: save it as UTF-8"])
    if source not in _OF_TEXT and (packing := _packing(path)) not in ("", *_UNPACKED.get(source, ())):
        return SourceRead(stem=path.stem, wrong=[f"is packed by {packing}: unpack it{_INSTEAD.get(source, '')}"])
    read = _READ[source](part, path, is_inside(path, [base_dir]))
    read.stem = path.stem
    return read


def _packing(path: Path) -> str:
    """What packed the file, by its first bytes; empty where nothing did. Raises OSError: it cannot be read."""
    with path.open("rb") as file:
        head = file.read(max(map(len, _PACKED)))
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")


def _is_utf_16(path: Path) -> bool:
    """Whether the file begins with the mark of UTF-16. Raises OSError: it cannot be read."""
    with path.open("rb") as file:
        return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _files(part: PayloadSet, base_dir: Path) -> SourceRead:
    read = SourceRead()
    # Two globs may find the same file: it is one payload.
    for path in dict.fromkeys(path for pattern in part.files for path in expand(base_dir, pattern)):
        name = path.relative_to(base_dir).as_posix() if path.is_relative_to(base_dir) else path.name
        read.entries.append(_piece(name, read_regular(path, FILE_MAX_BYTES), part))
    return read


def _piece(name: str, content: bytes, part: PayloadSet) -> Piece:
    path = Path(name)
    if part.encode is not None:
        return Piece(name, path.stem, encoded(content, part.encode), JSON_TYPE)
    return Piece(name, path.stem, content, _TYPES.guess_type(path.name)[0] or OPAQUE_TYPE)


def _lines(part: PayloadSet, path: Path, is_shown: bool) -> SourceRead:
    return _of_arguments(read_lines(path, is_shown=is_shown))


def _pickled(part: PayloadSet, path: Path, is_shown: bool) -> SourceRead:
    return _of_arguments(read_pickled(path, is_shown=is_shown))


def _of_arguments(read: InvokeLines) -> SourceRead:
    return SourceRead([*read.lines], "", read.wrong, read.notes)


def _bodies(part: PayloadSet, path: Path, is_shown: bool) -> SourceRead:
    found = [Piece(f"{path.stem}:{n}", path.stem, body, type_of_text(body)) for n, body in numbered_lines(path)]
    return SourceRead([*found], wrong=[] if found else ["holds no line"])


def _archive(part: PayloadSet, path: Path, is_shown: bool) -> SourceRead:
    try:
        found = unpacked(read_regular(path, FILE_MAX_BYTES), FILE_MAX_BYTES)
    except ValueError as error:
        return SourceRead(wrong=[str(error) if is_shown else "is not a sound tar archive of ordinary files"])
    read = SourceRead([_piece(name, content, part) for name, content in found.members])
    if found.n_left_out:
        read.notes.append(f"{found.n_left_out:,} files that macOS keeps for itself are left out")
    if not read.entries:
        read.wrong.append("holds no file")
    return read


def _documents(part: PayloadSet, path: Path, is_shown: bool) -> SourceRead:
    read, n_wrong = SourceRead(), 0
    try:
        text = read_regular(path, FILE_MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        return SourceRead(wrong=["is not UTF-8 text"])
    for number, document in texts_of(text):
        try:
            content, media_type = _of_document(document, part)
        except ValueError as error:
            n_wrong += 1
            if n_wrong <= WRONG_MAX:
                read.wrong.append(f"document {number}: {error if is_shown else 'is not what is asked for'}")
            continue
        read.entries.append(Piece(f"{path.stem}:{number}", path.stem, content, media_type))
    if n_wrong > WRONG_MAX:
        read.wrong.append(f"has {n_wrong - WRONG_MAX:,} more documents that are wrong")
    if not read.entries and not n_wrong:
        read.wrong.append("holds no document")
    return read


def _of_document(document: str, part: PayloadSet) -> tuple[bytes, str]:
    if part.decode is not None:
        content, media_type = decoded(document, part.decode)
        return content, media_type or OPAQUE_TYPE
    body = document.encode()
    if not is_json(body):
        raise ValueError("is not JSON")
    return body, JSON_TYPE


def type_of_text(body: bytes) -> str:
    """The ContentType of a body that is JSON, other text, or neither."""
    if is_json(body):
        return JSON_TYPE
    try:
        body.decode()
    except UnicodeDecodeError:
        return OPAQUE_TYPE
    return "text/plain"


_READ: dict[str, Callable[[PayloadSet, Path, bool], SourceRead]] = {
    "lines": _lines,
    "pickled": _pickled,
    "documents": _documents,
    "archive": _archive,
    "bodies": _bodies,
}
