"""The emulated CloudWatch Logs: streams of processing jobs and of endpoints' containers, read from their beginning."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.digits import whole
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site

_EVENTS = 10_000
_STREAMS = 50
_MS = 1_000_000  # nanoseconds


class Line(NamedTuple):
    """One event of a stream."""

    utc_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class LogStream:
    """Lines in the order of their instants, and since when the stream is there."""

    begun_utc_ns: int
    lines: Sequence[Line] = ()


Groups = Callable[[str], Mapping[str, LogStream] | None]
"""The streams of a group by their names, now; None: there is no such group here."""
Names = Callable[[], Iterable[str]]
"""The groups there may be; one without a stream is none."""


class Logs:
    """DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents.

    Args:
        groups: Asked in turn for the streams of a group.
        names: Asked, all of them, which groups there are.
    """

    service = "logs"

    def __init__(self, site: Site, groups: Sequence[Groups], names: Sequence[Names]) -> None:
        self._site, self._groups, self._names = site, groups, names
        self.operations: dict[str, Operation] = {
            "DescribeLogGroups": self.describe_log_groups,
            "DescribeLogStreams": self.describe_log_streams,
            "GetLogEvents": self.get_log_events,
            "FilterLogEvents": self.filter_log_events,
        }

    def describe_log_groups(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """By name, a page at a time. Raises ServiceError: a wrong token, a prefix together with a pattern."""
        prefix, pattern = params.get("logGroupNamePrefix", ""), params.get("logGroupNamePattern", "")
        if prefix and pattern:
            text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            raise ServiceError("InvalidParameterException", text)
        wanted, is_plain = params.get("logGroupIdentifiers", []), params.get("logGroupClass", "STANDARD") == "STANDARD"
        found: list[dict[str, Any]] = []
        for name in sorted({name for names in self._names for name in names()}):
            is_asked = is_plain and name.startswith(prefix) and pattern.lower() in name.lower()
            if is_asked and (streams := self._streams(name)) and (not wanted or {name, self._arn(name)} & {*wanted}):
                found.append(self._shown(name, streams))
        these, token = _paged(found, params, _STREAMS)
        return {"logGroups": these} | token

    def _shown(self, name: str, streams: Mapping[str, LogStream]) -> dict[str, Any]:
        begun_ms = min(stream.begun_utc_ns for stream in streams.values()) // _MS
        shown = {"logGroupName": name, "creationTime": begun_ms, "metricFilterCount": 0, "storedBytes": 0}
        arn = self._arn(name)
        return shown | {"arn": f"{arn}:*", "logGroupArn": arn, "logGroupClass": "STANDARD"}

    def _arn(self, group: str) -> str:
        return self._site.arn("logs", f"log-group:{group}")

    def describe_log_streams(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """By name, or by the last event, a page at a time. Raises ServiceError: no such group, both asked for."""
        prefix, by_event = params.get("logStreamNamePrefix", ""), params.get("orderBy") == "LastEventTime"
        if prefix and by_event:
            text = "Cannot order by LastEventTime with a logStreamNamePrefix."
            raise ServiceError("InvalidParameterException", text)
        streams = [one for one in self._group(params).items() if one[0].startswith(prefix)]
        streams.sort(key=lambda one: (_last_utc_ns(one[1]), one[0]) if by_event else (0, one[0]))
        if params.get("descending"):
            streams.reverse()
        these, token = _paged(streams, params, _STREAMS)
        group = self._arn(_name_of(params))
        return {"logStreams": [_described(group, name, stream) for name, stream in these]} | token

    def get_log_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Forwards, a page at a time; the token of the last is given back. `endTime` itself is left out.

        Raises:
            ServiceError: no such stream, or a wrong token; backwards (501).
        """
        streams = self._group(params)
        if params["logStreamName"] not in streams:
            raise _missing("log stream")
        stream, n_max = streams[params["logStreamName"]], min(_EVENTS, params.get("limit", _EVENTS))
        begin, end = _within(stream.lines, params.get("startTime", 0), params.get("endTime"))
        first = begin if params.get("startFromHead") else max(begin, end - n_max)  # without it, the latest
        if (token := params.get("nextToken")) is not None:
            kind, _, written = token.partition("/")
            if kind not in ("f", "b") or (place := whole(written)) is None:
                raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
            if kind == "b":
                raise beyond("read log events backwards")
            first = max(begin, place)
        lines = stream.lines[first : min(first + n_max, end)]
        return {
            "events": [_event(line) for line in lines],
            "nextForwardToken": f"f/{first + len(lines)}",
            "nextBackwardToken": "b/0",
        }

    def filter_log_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Lines of several streams by their instants, a page at a time; `endTime` itself is in.

        Of a pattern only plain words are understood.

        Raises:
            ServiceError: no such group, a wrong token, names together with a prefix; a pattern beyond words (501).
        """
        prefix, names = params.get("logStreamNamePrefix", ""), params.get("logStreamNames")
        if prefix and names:
            text = "Only one of logStreamNames and logStreamNamePrefix may be specified."
            raise ServiceError("InvalidParameterException", text)
        words = _words(params.get("filterPattern", ""))
        start_ms, last_ms = params.get("startTime", 0), params.get("endTime")
        found = [
            {"logStreamName": name, **_event(stream.lines[place]), "eventId": f"{crc32(name.encode()):010}{place:010}"}
            for name, stream in sorted(self._group(params).items())
            if name.startswith(prefix) and (not names or name in names)
            for place in range(*_within(stream.lines, start_ms, None if last_ms is None else last_ms + 1))
            if all(word in stream.lines[place].text for word in words)
        ]
        found.sort(key=lambda event: event["timestamp"])
        events, token = _paged(found, params, _EVENTS)
        return {"events": events, "searchedLogStreams": []} | token

    def _group(self, params: Params) -> Mapping[str, LogStream]:
        streams = self._streams(_name_of(params))
        if not streams:
            raise _missing("log group")
        return streams

    def _streams(self, name: str) -> Mapping[str, LogStream] | None:
        return next(filter(None, (group(name) for group in self._groups)), None)


def _name_of(params: Params) -> str:
    """The group that a call is about. Raises ServiceError: none, or two."""
    if ("logGroupName" in params) == ("logGroupIdentifier" in params):
        text = "Exactly one of logGroupName and logGroupIdentifier must be specified."
        raise ServiceError("InvalidParameterException", text)
    return str(params.get("logGroupName") or params["logGroupIdentifier"].rpartition(":log-group:")[2])


def _paged(items: list[Any], params: Params, n_max: int) -> tuple[list[Any], dict[str, str]]:
    """A page, and the token of the next where there is one."""
    try:
        these, token = page(items, params.get("nextToken"), min(n_max, params.get("limit", n_max)))
    except TokenError:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.") from None
    return these, {} if token is None else {"nextToken": token}


def _within(lines: Sequence[Line], start_ms: int, end_ms: int | None) -> tuple[int, int]:
    """The places of the first line at or after the start and of the first at or after the end; None: no end."""

    def at_ms(line: Line) -> int:
        return line.utc_ns // _MS

    begin = bisect_left(lines, start_ms, key=at_ms)
    return begin, len(lines) if end_ms is None else max(begin, bisect_left(lines, end_ms, key=at_ms))


def _event(line: Line) -> dict[str, Any]:
    return {"timestamp": line.utc_ns // _MS, "message": line.text, "ingestionTime": line.utc_ns // _MS}


def _words(pattern: str) -> list[str]:
    """What a line must hold, all of it: words, or one phrase in quotes. Raises ServiceError 501 for any more."""
    phrase = re.fullmatch(r'"([^"]*)"', pattern.strip())
    if phrase is not None:
        return [phrase[1]]
    words = pattern.split()
    if not all(re.fullmatch(r"\w+", word) for word in words):
        raise beyond(f"understand the filter pattern {pattern}")
    return words


def _described(group: str, name: str, stream: LogStream) -> dict[str, Any]:
    """An endpoint's container writes at once when it begins, and no line of it is kept."""
    begun_ms, last_ms = stream.begun_utc_ns // _MS, _last_utc_ns(stream) // _MS
    first_ms = stream.lines[0].utc_ns // _MS if stream.lines else begun_ms
    stamps = {"creationTime": begun_ms, "firstEventTimestamp": first_ms, "lastEventTimestamp": last_ms}
    more = {"lastIngestionTime": last_ms, "arn": f"{group}:log-stream:{name}", "storedBytes": 0}
    return {"logStreamName": name, **stamps, **more}


def _last_utc_ns(stream: LogStream) -> int:
    return stream.lines[-1].utc_ns if stream.lines else stream.begun_utc_ns


def _missing(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")
