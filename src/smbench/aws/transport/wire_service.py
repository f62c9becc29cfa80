"""An AWS service without the SDK between: requests signed when they leave, refusals read as the SDK reads them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from time import gmtime, strftime
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError, create_parser

from smbench.aws.access.answers import UNREADABLE_BODY
from smbench.aws.access.causes import CONTAINERS_OWN, cause_of, code_of, original_status_of, status_of
from smbench.aws.access.refusals import told_by
from smbench.clock import real_ns, wall_ns
from smbench.records import Rejected, Unacknowledged
from smbench.wire.dates import http_date
from smbench.wire.http1 import FIRST_ERROR_STATUS, Ended, Pieces, Response, UnreadableAnswer
from smbench.wire.pool import Pool
from smbench.wire.sigv4 import Credentials, Signer, canonical_path, canonical_query, canonical_request, canonical_value

Headers = list[tuple[str, str]]  # names in lower case
_Of = TypeVar("_Of")

_WRONG_TIME = {"RequestTimeTooSkewed", "InvalidSignatureException", "RequestExpired", "SignatureDoesNotMatch"}
_BODILESS = ("GET", "HEAD")
_ANY = "accept: */*\r\n"  # unsigned, where the request itself does not say what it accepts
_HOLE = "\0"  # where a value goes; no header and no path has one
_SKEW_MAX_S = 240  # AWS takes five minutes
_path = lru_cache(maxsize=1024)(canonical_path)


class _ModelError(msgspec.Struct):
    OriginalStatusCode: Any = None  # AWS's name


class ServiceClock:
    """The time that signatures carry: this machine's when the run began, moved by what a service's refusal taught.

    From then on it goes by the monotonic clock: after a step of the wall clock AWS would refuse every request.
    """

    def __init__(self) -> None:
        self.offset_s = 0
        self._started_utc_ns = wall_ns() - real_ns()
        self._second, self._stamp = 0, ""

    def utc_ns(self) -> int:
        """Now, before anything was learned."""
        return self._started_utc_ns + real_ns()

    def stamp(self) -> str:
        """Now, as `20261121T090000Z`."""
        second = self.utc_ns() // 1_000_000_000 + self.offset_s
        if second != self._second:
            self._second, self._stamp = second, strftime("%Y%m%dT%H%M%SZ", gmtime(second))
        return self._stamp

    def learn(self, date: str | None) -> None:
        """Take over the time of an answer's `Date` header, when it is so far off that signatures are refused."""
        try:
            told_s = int(http_date(date or "").timestamp())
        except ValueError:
            return
        offset_s = told_s - self.utc_ns() // 1_000_000_000
        if abs(offset_s - self.offset_s) > _SKEW_MAX_S:
            self.offset_s = offset_s


class WireService:
    """Calls of one service at one origin.

    Args:
        signer: For the service's signing name and region.
        credentials: Gives those that are valid now.
        protocol: The service's, in botocore's words, by which refusals are read: `json`, `rest-json`, `rest-xml`.
    """

    def __init__(
        self,
        pool: Pool,
        signer: Signer,
        credentials: Callable[[], Credentials],
        *,
        clock: ServiceClock,
        protocol: str,
        user_agent: str,
    ) -> None:
        self.pool, self.signer, self.credentials, self.clock = pool, signer, credentials, clock
        self.authority = pool.origin.authority
        self._parser: Any = create_parser(protocol)
        self.tail = f"user-agent: {user_agent}\r\naccept-encoding: identity\r\n"

    def signed(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, body_sha256: str
    ) -> bytes:
        """A whole request.

        Args:
            path: As sent: percent-encoded, with a query behind `?` where there is one.
            headers: Beside host, date and token, which are added here; all are signed.
        """
        credentials, stamp = self.credentials(), self.clock.stamp()
        signed = [("host", self.authority), ("x-amz-date", stamp), *headers]
        if credentials.token is not None:
            signed.append(("x-amz-security-token", credentials.token))
        signed.sort()
        raw_path, _, query = path.partition("?")
        canonical = canonical_request(
            method,
            _path(raw_path, service=self.signer.service),
            canonical_query(query),
            [(name, canonical_value(value)) for name, value in signed],
            body_sha256,
        )
        names = ";".join([name for name, _ in signed])
        authorization = self.signer.authorization(credentials, stamp, names, canonical)
        lines = "".join([f"{name}: {value}\r\n" for name, value in signed])
        length = "" if method in _BODILESS else f"content-length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\n{lines}authorization: {authorization}\r\n{self.tail}{_ANY}{length}\r\n"
        return head.encode("latin-1") + body

    async def exchange(self, make: Callable[[], bytes], *, is_head: bool = False) -> Response:
        """The answer of a good status; its errors are those the SDK's users know.

        Raises:
            ClientError: an answer of any other status.
            OSError, ResponseParserError: no answer, or one that cannot be read.
        """
        try:
            response = await self.answer_to(make, is_head=is_head)
        except UnreadableAnswer as error:
            raise ResponseParserError(str(error)) from error
        if response.status >= FIRST_ERROR_STATUS:
            raise self._refusal(response)
        return response

    async def call(self, make: Callable[[], bytes]) -> Response:
        """As `exchange`, its errors those of the ports.

        Raises:
            Rejected: an answer of a bad status.
            Unacknowledged: no answer, or one that cannot be read.
        """
        try:
            response = await self.answer_to(make)
        except (OSError, UnreadableAnswer) as error:
            raise Unacknowledged(cause_of(error)) from error
        if response.status >= FIRST_ERROR_STATUS:
            raise self.failure_of(response)
        return response

    async def answer_to(
        self, make: Callable[[], bytes], *, is_head: bool = False, pieces: Pieces | None = None
    ) -> Response:
        """The answer, whatever its status, to the request that `make` returns once a connection is in hand.

        Raises:
            OSError, UnreadableAnswer: none came; see `Pool.take` and `Pool.exchange`.
        """
        connection = await self.pool.take()
        try:
            request = make()
        except BaseException:  # whatever it is, nothing was sent, and the connection serves the next
            self.pool.give_back(connection)
            raise
        return await self.pool.exchange(connection, request, is_head=is_head, pieces=pieces)

    def begin(self, make: Callable[[_Of], bytes], ended: Ended[_Of], of: _Of, pieces: Pieces | None = None) -> bool:
        """The same without a task, where a connection is idle.

        Args:
            make: Called with `of`, once a connection is in hand.
            ended: Called with `of` and the answer, or the error.

        Returns:
            False: it would have to wait for a connection, and neither was called.
        """
        connection = self.pool.take_idle()
        if connection is None:
            return False
        try:
            request = make(of)
        except BaseException:  # as above
            self.pool.give_back(connection)
            raise
        self.pool.begin(connection, request, ended, of, pieces)
        return True

    def failure_of(self, outcome: Response | Exception) -> Rejected | Unacknowledged:
        """What `call` would raise of an exchange that failed, or had an answer of a bad status."""
        if isinstance(outcome, Exception):
            return Unacknowledged(cause_of(outcome))
        try:
            error = self._refusal(outcome)
        except ResponseParserError as unreadable:
            return Unacknowledged(cause_of(unreadable))
        return Rejected(status_of(error), code_of(error), told_by(error), original_status_of(error))

    def _refusal(self, response: Response) -> ClientError:
        """Read by botocore's own parser, so that both transports give an error the same name."""
        headers = dict(response.headers)
        raw = {"status_code": response.status, "headers": headers, "body": response.body, "context": {}}
        try:
            told: Any = self._parser.parse(raw, None) if response.status > FIRST_ERROR_STATUS else _without_code(raw)
            error = ClientError(told, "")
            if code_of(error) == CONTAINERS_OWN and (original := _original_status(response.body)) is not None:
                told["OriginalStatusCode"] = int(original)  # as the SDK does, which knows the operation's model
        except UNREADABLE_BODY as unreadable:  # JSON that is no object or too deep, bytes that are no text
            raise ResponseParserError(f"the body of a refusal of status {response.status}") from unreadable
        if code_of(error) in _WRONG_TIME:
            self.clock.learn(headers.get("date"))
        return error


class Stencil:
    """Requests that differ in the values of a few headers and in the body: all else is put together once a second.

    Equal to what `WireService.signed` makes, at a quarter of its cost. What precedes the first value is the same
    for a whole second, so it is hashed once a second.

    Args:
        constant: Headers that stay, beside host, date and token.
        varying: Names of those that change, sorted, and behind date and token in that order.
    """

    def __init__(
        self, service: WireService, method: str, path: str, constant: Mapping[str, str], varying: tuple[str, ...] = ()
    ) -> None:
        if list(varying) != sorted(varying) or any(name < "x-amz-security-token" for name in varying):
            raise ValueError("the varying headers are sorted and come behind the date and the token")
        self.varying = varying
        self._service, self._method, self._path, self._constant = service, method, path, constant
        self._cut_for: tuple[Credentials, str] | None = None
        self._hashed = sha256()
        self._rest, self._head = _Holes(""), _Holes("")
        self._last_sha256, self._last = "", b""

    def filled(self, values: Sequence[str], body: bytes, body_sha256: str) -> bytes:
        """A whole request; `values` of the varying headers, in their order.

        Without such headers and with the body it had before, within the same second, it is the same request, and is not
        made again: so a queue is asked thousands of times a second.
        """
        service = self._service
        credentials, stamp = service.credentials(), service.clock.stamp()
        if (credentials, stamp) != self._cut_for:
            self._cut(credentials, stamp)
        elif body_sha256 == self._last_sha256:
            return self._last
        hashed = self._hashed.copy()
        hashed.update(self._rest.filled((*map(canonical_value, values), body_sha256)).encode())
        signature = service.signer.sign(credentials, stamp, hashed.hexdigest())
        head = self._head.filled((*values, signature, str(len(body)))).encode("latin-1")
        request = head + body if body else head
        if not values:
            self._last_sha256, self._last = body_sha256, request
        return request

    def _cut(self, credentials: Credentials, stamp: str) -> None:
        service = self._service
        headers = {"host": service.authority, "x-amz-date": stamp, **self._constant}
        if credentials.token is not None:
            headers["x-amz-security-token"] = credentials.token
        signed = sorted((headers | dict.fromkeys(self.varying, _HOLE)).items())
        names = ";".join(name for name, _ in signed)
        raw_path, _, query = self._path.partition("?")
        canonical = canonical_request(
            self._method,
            _path(raw_path, service=service.signer.service),
            canonical_query(query),
            [(name, canonical_value(value)) for name, value in signed],
            _HOLE,
        )
        same, hole, rest = canonical.partition(_HOLE)
        self._hashed = sha256(same.encode())
        self._rest = _Holes(hole + rest)
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed)
        claim = service.signer.claim(credentials, stamp, names)
        self._head = _Holes(
            f"{self._method} {self._path} HTTP/1.1\r\n{lines}authorization: {claim}{_HOLE}\r\n{service.tail}"
            f"{'' if 'accept' in self._constant else _ANY}content-length: {_HOLE}\r\n\r\n"
        )
        self._cut_for = credentials, stamp


def _original_status(body: bytes) -> Any:
    """Of the container; the parser knows no operation, and reads the code and the message alone."""
    try:
        return msgspec.json.decode(body, type=_ModelError).OriginalStatusCode
    except msgspec.DecodeError:
        return None


class _Holes:
    """A text with holes. To join its pieces costs a third of `%`, which looks at each character of the text."""

    __slots__ = ("_pieces",)

    def __init__(self, text: str) -> None:
        self._pieces = text.split(_HOLE)
        self._pieces[1:] = [part for piece in self._pieces[1:] for part in ("", piece)]  # what is filled in has a place

    def filled(self, values: Sequence[str]) -> str:
        """The text with a value in each hole."""
        self._pieces[1::2] = values
        return "".join(self._pieces)


def _without_code(raw: dict[str, Any]) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPStatusCode": raw["status_code"], "HTTPHeaders": raw["headers"]}}
