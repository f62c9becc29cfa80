"""Payloads: the bodies and headers of the requests, read once, before anything is sent.

Files by path or glob, JSON lines of invoke arguments, or a JSON document made to size. A line's own arguments go
before its set's, these before the scenario's `request`, and these before what the file's extension says.
"""

import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from smbench.errors import Problem, ScenarioError
from smbench.scenario.model import BODY_MAX_BYTES, PayloadSet, Request, Scenario
from smbench.scenario.payloads.invoke_lines import InvokeLine, read_lines
from smbench.scenario.payloads.unique import check_unique, is_json, make_unique
from smbench.scenario.source import Misfit, Where, dotted
from smbench.scenario.values.files import expand

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
class Payload:
    """One thing to send. Exactly one of `body` and `input_location` is set; None elsewhere leaves it to AWS."""

    name: str
    payload_class: str
    body: bytes | None
    weight: float
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int | None = None
    timeout_s: int | None = None
    input_location: str | None = None  # an S3 object that is there already
    digest: str = field(init=False, default="")  # sha256 of the body in hex; empty without one

    def __post_init__(self) -> None:
        if (self.body is None) == (self.input_location is None):
            raise ValueError(f"payload {self.name} needs exactly one of body and input_location")
        if self.body is not None:
            object.__setattr__(self, "digest", hashlib.sha256(self.body).hexdigest())

    def unique(self, seq: int) -> bytes:
        """A body that no other `seq` has, still valid in its format, of the same size for every `seq`.

        Raises:
            ValueError: the format has no place for it (`scenario.payloads.unique` lists those
                that have), or there is no body.
        """
        if self.body is None:
            raise ValueError(f"payload {self.name} is an object in S3 already")
        return make_unique(self.body, self.content_type or OPAQUE_TYPE, seq)


def load_payloads(scenario: Scenario, base_dir: Path) -> tuple[Payload, ...]:
    """Every payload of the scenario in a stable order: sets as written, files sorted, lines as they stand.

    Raises:
        ScenarioError: a file or a line is wrong, or a payload does not fit the scenario.
    """
    payloads, misfits = read_payloads(scenario, base_dir)
    if misfits:
        raise ScenarioError(scenario.name, [Problem(dotted(m.where), m.message) for m in misfits])
    return payloads


def read_payloads(scenario: Scenario, base_dir: Path) -> tuple[tuple[Payload, ...], list[Misfit]]:
    """What `load_payloads` gives, and in the place of what it raises, everything that is wrong."""
    payloads: list[Payload] = []
    misfits: list[Misfit] = []
    for where, part in _sets_where(scenario):
        try:
            read = list(_of_set(where, part, scenario.request, base_dir, misfits))
        except OSError as error:
            misfits.append(Misfit(where, f"{error.filename} cannot be read: {error.strerror}"))
            continue
        payloads += read
        found = ((payload.name, _misfit(payload, scenario)) for payload in read)
        misfits += [Misfit(where, f"payload {name} {message}") for name, message in found if message]
    return tuple(payloads), misfits


def _sets_where(scenario: Scenario) -> Iterator[tuple[Where, PayloadSet]]:
    for index, part in enumerate(scenario.payloads.sets):
        place: Where = ("payloads", "mix", index) if scenario.payloads.mix else ("payloads",)
        source = "files" if part.files else "lines" if part.lines is not None else "synthetic"
        yield (*place, source), part


def _of_set(
    where: Where, part: PayloadSet, request: Request, base_dir: Path, misfits: list[Misfit]
) -> Iterator[Payload]:
    if part.lines is not None:
        lines, wrong = read_lines(base_dir / part.lines)
        misfits += [Misfit(where, f"{part.lines} {message}") for message in wrong]
        stem = Path(part.lines).stem
        for line in lines:
            yield _of_line(line, stem, part, request, part.weight / len(lines))
    elif part.synthetic is not None:
        body = synthetic_json(part.synthetic)
        yield _of_body(f"synthetic-{part.synthetic}", "synthetic", body, JSON_TYPE, part, request, part.weight)
    else:
        # Two globs may find the same file: it is one payload.
        paths = list(dict.fromkeys(path for pattern in part.files for path in expand(base_dir, pattern)))
        for path in paths:
            guessed = _TYPES.guess_type(path.name)[0] or OPAQUE_TYPE
            name = path.relative_to(base_dir).as_posix() if path.is_relative_to(base_dir) else path.name
            yield _of_body(name, path.stem, path.read_bytes(), guessed, part, request, part.weight / len(paths))


def _of_body(
    name: str, stem: str, body: bytes, guessed_type: str, part: PayloadSet, request: Request, weight: float
) -> Payload:
    return Payload(
        name=name,
        payload_class=part.name or stem,
        body=body,
        weight=weight,
        content_type=part.content_type or request.content_type or guessed_type,
        accept=request.accept,
        custom_attributes=request.custom_attributes,
        ttl_s=_whole(request.ttl),
        timeout_s=_whole(request.timeout),
    )


def _of_line(line: InvokeLine, stem: str, part: PayloadSet, request: Request, weight: float) -> Payload:
    return Payload(
        name=f"{stem}:{line.number}",
        payload_class=part.name or stem,
        body=line.body,
        weight=weight,
        content_type=line.content_type or part.content_type or request.content_type or _type_of_line(line),
        accept=line.accept or request.accept,
        custom_attributes=line.custom_attributes or request.custom_attributes,
        ttl_s=line.ttl_s or _whole(request.ttl),
        timeout_s=line.timeout_s or _whole(request.timeout),
        input_location=line.input_location,
    )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)


def _type_of_line(line: InvokeLine) -> str | None:
    if line.body is None:
        return None  # the object in S3 has its own
    if not line.is_text:
        return OPAQUE_TYPE
    return JSON_TYPE if is_json(line.body) else "text/plain"


def _misfit(payload: Payload, scenario: Scenario) -> str:
    """Why this payload cannot be sent as the scenario wants it; empty when it can."""
    wish, n_bytes = scenario.payloads, len(payload.body or b"")
    if wish.unique:
        if payload.body is None:
            return "is an object in S3 already, which cannot be made unique"
        try:
            check_unique(payload.body, payload.content_type or OPAQUE_TYPE)
        except ValueError as error:
            return str(error)
        n_bytes = len(payload.unique(0))
    if wish.inline and n_bytes > BODY_MAX_BYTES:
        return f"has {n_bytes:,} bytes; inline takes at most {BODY_MAX_BYTES:,}: send it through S3"
    return ""


def synthetic_json(n_bytes: int) -> bytes:
    """A JSON document of exactly this size: an object from two bytes on."""
    frame = b'{"data":""}'
    if n_bytes == 1:
        return b"0"
    if n_bytes < len(frame):
        return b"{" + b" " * (n_bytes - 2) + b"}"
    fill = (b"abcdefghijklmnopqrstuvwxyz" * (n_bytes // 26 + 1))[: n_bytes - len(frame)]
    return frame[:-2] + fill + frame[-2:]
