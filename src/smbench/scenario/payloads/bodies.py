"""Bodies and headers of the requests: read once, before anything is sent.

Where they come from, `sources` knows. An invocation's own arguments go before its set's, these before the scenario's
`request`, and these before what the file's extension says.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from smbench.errors import Problem, ScenarioError
from smbench.scenario.model import BODY_MAX_BYTES, SYNCHRONOUS_BODY_MAX_BYTES, PayloadSet, Scenario
from smbench.scenario.payloads.invoke_lines import InvokeLine
from smbench.scenario.payloads.sources import JSON_TYPE, OPAQUE_TYPE, read_source, type_of_text
from smbench.scenario.payloads.unique import check_unique, make_unique
from smbench.scenario.source import Misfit, Where, dotted
from smbench.scenario.values.request import Request


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A JSON document of exactly this size, made when it is needed: a gigabyte is described without being made."""

    n_bytes: int

    def make(self) -> bytes:
        return b"".join(self._pieces())

    @property
    def digest(self) -> str:
        """sha256 in hex, of the document in pieces."""
        found = hashlib.sha256()
        for piece in self._pieces():
            found.update(piece)
        return found.hexdigest()

    def _pieces(self) -> Iterator[bytes]:
        """An object from two bytes on."""
        if self.n_bytes == 1:
            yield b"0"
        elif self.n_bytes < len(_FRAME):
            yield b"{" + b" " * (self.n_bytes - 2) + b"}"
        else:
            yield _FRAME[:-2]
            n_whole, rest = divmod(self.n_bytes - len(_FRAME), len(_FILL))
            yield from repeat(_FILL, n_whole)
            yield _FILL[:rest] + _FRAME[-2:]


_FRAME = b'{"data":""}'
_FILL = b"abcdefghijklmnopqrstuvwxyz" * 2500


@dataclass(frozen=True, slots=True)
class Payload:
    """One thing to send. Exactly one of `content` and `input_location` is set; None elsewhere leaves it to AWS."""

    name: str
    payload_class: str
    content: bytes | Synthetic | None
    weight: float
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int | None = None
    timeout_s: int | None = None
    input_location: str | None = None  # an S3 object that is there already
    output_extension: str | None = None
    filename: str | None = None
    target_model: str | None = None
    target_variant: str | None = None
    target_container: str | None = None
    inference_component: str | None = None
    explanations: str | None = None

    def __post_init__(self) -> None:
        if (self.content is None) == (self.input_location is None):
            raise ValueError(f"payload {self.name} needs exactly one of content and input_location")

    @property
    def body(self) -> bytes | None:
        """What is sent; None where it is an object in S3 already. Synthetic documents are made by each call."""
        return self.content.make() if isinstance(self.content, Synthetic) else self.content

    @property
    def size_bytes(self) -> int:
        """Of the body; 0 where there is none."""
        return self.content.n_bytes if isinstance(self.content, Synthetic) else len(self.content or b"")

    @property
    def digest(self) -> str:
        """sha256 of the body in hex; empty without one."""
        if isinstance(self.content, Synthetic):
            return self.content.digest
        return "" if self.content is None else hashlib.sha256(self.content).hexdigest()

    def unique(self, seq: int) -> bytes:
        """A body that no other `seq` has, still valid in its format, of the same size for every `seq`.

        Raises:
            ValueError: the format has no place for it (`scenario.payloads.unique` lists those
                that have), or there is no body.
        """
        body = self.body
        if body is None:
            raise ValueError(f"payload {self.name} is an object in S3 already")
        return make_unique(body, self.content_type or OPAQUE_TYPE, seq)


@dataclass(slots=True)
class PayloadsRead:
    """Every payload in a stable order (sets as written, files sorted, lines in their order), and what is wrong."""

    payloads: list[Payload] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was left out of what was read

    def sound(self, file: str) -> tuple[Payload, ...]:
        """The payloads, each of which can be sent.

        Raises:
            ScenarioError: something is wrong; `file` is what its message begins with.
        """
        if self.misfits:
            raise ScenarioError(file, [Problem(dotted(m.where), m.message) for m in self.misfits])
        return tuple(self.payloads)


def load_payloads(scenario: Scenario, base_dir: Path) -> tuple[Payload, ...]:
    """Every payload of the scenario in a stable order: sets as written, files sorted, lines in their order.

    Raises:
        ScenarioError: a file or a line is wrong, or a payload does not fit the scenario.
    """
    return read_payloads(scenario, base_dir).sound(scenario.name)


def read_payloads(scenario: Scenario, base_dir: Path) -> PayloadsRead:
    """What `load_payloads` gives, and in the place of what it raises, everything that is wrong."""
    found = PayloadsRead()
    for where, part in _sets_where(scenario):
        n_before = len(found.payloads)
        try:
            found.payloads += _of_set(where, part, scenario.request, base_dir, found)
        except OSError as error:
            found.misfits.append(Misfit(where, f"{error.filename} cannot be read: {error.strerror}"))
            continue
        for payload in found.payloads[n_before:]:
            if message := _misfit(payload, scenario):
                found.misfits.append(Misfit(where, f"payload {payload.name} {message}"))
    return found


def _sets_where(scenario: Scenario) -> Iterator[tuple[Where, PayloadSet]]:
    for index, part in enumerate(scenario.payloads.sets):
        place: Where = ("payloads", "mix", index) if scenario.payloads.mix else ("payloads",)
        yield (*place, *part.named), part


def _of_set(where: Where, part: PayloadSet, request: Request, base_dir: Path, found: PayloadsRead) -> Iterator[Payload]:
    if part.synthetic is not None:
        made = Synthetic(part.synthetic)
        yield _of_body(f"synthetic-{part.synthetic}", "synthetic", made, JSON_TYPE, part, request, part.weight)
        return
    read = read_source(part, base_dir)
    file = getattr(part, part.named[0])
    found.misfits += [Misfit(where, f"{file} {message}") for message in read.wrong]
    found.notes += [f"{file}: {note}" for note in read.notes]
    for entry in read.entries:
        weight = part.weight / len(read.entries)
        if isinstance(entry, InvokeLine):
            yield _of_line(entry, read.stem, part, request, weight)
        else:
            yield _of_body(entry.name, entry.stem, entry.content, entry.content_type, part, request, weight)


def _of_body(
    name: str,
    stem: str,
    content: bytes | Synthetic,
    guessed_type: str,
    part: PayloadSet,
    request: Request,
    weight: float,
) -> Payload:
    return Payload(
        name=name,
        payload_class=part.name or stem,
        content=content,
        weight=weight,
        content_type=part.content_type or request.content_type or guessed_type,
        accept=request.accept,
        custom_attributes=request.custom_attributes,
        ttl_s=_whole(request.ttl),
        timeout_s=_whole(request.timeout),
        target_model=request.target_model,
        target_variant=request.target_variant,
        target_container=request.target_container,
        inference_component=request.inference_component,
        explanations=request.explanations,
    )


def _of_line(line: InvokeLine, stem: str, part: PayloadSet, request: Request, weight: float) -> Payload:
    return Payload(
        name=f"{stem}:{line.number}",
        payload_class=part.name or stem,
        content=line.body,
        weight=weight,
        content_type=line.content_type or part.content_type or request.content_type or _type_of_line(line),
        accept=line.accept or request.accept,
        custom_attributes=line.custom_attributes or request.custom_attributes,
        ttl_s=line.ttl_s or _whole(request.ttl),
        timeout_s=line.timeout_s or _whole(request.timeout),
        input_location=line.input_location,
        output_extension=line.output_extension,
        filename=line.filename,
        target_model=line.target_model or request.target_model,
        target_variant=line.target_variant or request.target_variant,
        target_container=line.target_container or request.target_container,
        inference_component=line.inference_component or request.inference_component,
        explanations=line.explanations or request.explanations,
    )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)


def _type_of_line(line: InvokeLine) -> str | None:
    if line.body is None:
        return None  # the object in S3 has its own
    if not line.is_text:
        return OPAQUE_TYPE
    return type_of_text(line.body)


def _misfit(payload: Payload, scenario: Scenario) -> str:
    """Why this payload cannot be sent as the scenario wants it; empty when it can."""
    wish, n_bytes = scenario.payloads, payload.size_bytes
    if wish.unique:
        if payload.content is None:
            return "is an object in S3 already, which cannot be made unique"
        sample = payload.content
        if isinstance(sample, Synthetic):  # all of them are alike but for their length
            sample = Synthetic(min(sample.n_bytes, BODY_MAX_BYTES)).make()
        try:
            check_unique(sample, payload.content_type or OPAQUE_TYPE)
        except ValueError as error:
            return str(error)
        n_bytes += len(make_unique(sample, payload.content_type or OPAQUE_TYPE, 0)) - len(sample)
    if scenario.target.is_synchronous:
        return _synchronous_misfit(payload, n_bytes, scenario)
    if wish.inline and n_bytes > BODY_MAX_BYTES:
        return f"has {n_bytes:,} bytes; inline takes at most {BODY_MAX_BYTES:,}: send it through S3"
    return _named(payload, _NOT_ASYNCHRONOUS, "which an asynchronous endpoint does not take")


def _synchronous_misfit(payload: Payload, n_bytes: int, scenario: Scenario) -> str:
    kind = scenario.target.kind
    most, called = SYNCHRONOUS_BODY_MAX_BYTES[kind], {"realtime": "real-time"}.get(kind, kind)
    if payload.content is None:
        return f"is an object in S3, which a {called} endpoint does not read: send its bytes"
    if n_bytes > most:
        return f"has {n_bytes:,} bytes; a {called} endpoint takes at most {most:,}: an asynchronous one takes 1 GB"
    if misfit := _named(payload, _ASYNCHRONOUS_ONLY, "which only an asynchronous endpoint takes"):
        return misfit
    if scenario.request.stream and (misfit := _named(payload, _NOT_IN_A_STREAM, "which a call for a stream has not")):
        return misfit
    return _named(payload, _REAL_TIME_ONLY, "which a serverless endpoint does not take") if kind == "serverless" else ""


_ASYNCHRONOUS_ONLY = {
    "ttl_s": "RequestTTLSeconds",
    "timeout_s": "InvocationTimeoutSeconds",
    "output_extension": "S3OutputPathExtension",
    "filename": "Filename",
}
_REAL_TIME_ONLY = {
    "target_model": "TargetModel",
    "target_container": "TargetContainerHostname",
    "inference_component": "InferenceComponentName",
}
_NOT_IN_A_STREAM = {"target_model": "TargetModel", "explanations": "EnableExplanations"}
_NOT_ASYNCHRONOUS = _REAL_TIME_ONLY | {"target_variant": "TargetVariant", "explanations": "EnableExplanations"}


def _named(payload: Payload, arguments: dict[str, str], why: str) -> str:
    """Which of these arguments the payload has, and why it must not; empty where it has none."""
    named = [argument for name, argument in arguments.items() if getattr(payload, name) is not None]
    return f"has {' and '.join(named)}, {why}" if named else ""
