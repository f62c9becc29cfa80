"""The emulated CloudWatch Logs: streams of processing jobs and of endpoints' containers, read from their beginning."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site

_EVENTS = 10_000
_STREAMS = 50


@dataclass(frozen=True, slots=True)
class LogStream:
    """Lines, and since when the stream is there."""

    begun_utc_ns: int
    lines: Sequence[str] = ()


Groups = Callable[[str], Mapping[str, LogStream] | None]
"""The streams of a group by their names, now; None: there is no such group here."""


class Logs:
    """DescribeLogStreams, GetLogEvents and FilterLogEvents. Args: `groups` are asked in turn."""

    service = "logs"

    def __init__(self, site: Site, *groups: Groups) -> None:
        self._site, self._groups = site, groups
        self.operations: dict[str, Operation] = {
            "DescribeLogStreams": self.describe_log_streams,
            "GetLogEvents": self.get_log_events,
            "FilterLogEvents": self.filter_log_events,
        }

    def describe_log_streams(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """By name, or by the last event, a page at a time. Raises ServiceError: no such group, both asked for."""
        prefix, by_event = params.get("logStreamNamePrefix", ""), params.get("orderBy") == "LastEventTime"
        if prefix and by_event:
            text = "Cannot order by LastEventTime with a logStreamNamePrefix."
            raise ServiceError("InvalidParameterException", text)
        streams = [one for one in self._group(params).items() if one[0].startswith(prefix)]
        streams.sort(key=lambda one: (one[1].begun_utc_ns, one[0]) if by_event else (0, one[0]))
        if params.get("descending"):
            streams.reverse()
        try:
            these, token = page(streams, params.get("nextToken"), params.get("limit", _STREAMS))
        except TokenError:
            raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.") from None
        shown = [_described(name, stream) for name, stream in these]
        return {"logStreams": shown} | ({} if token is None else {"nextToken": token})

    def get_log_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Forwards, a page at a time; the token of the last is given back. Raises ServiceError: no such stream."""
        streams = self._group(params)
        if params["logStreamName"] not in streams:
            raise _missing("log stream")
        stream, n_max = streams[params["logStreamName"]], min(_EVENTS, params.get("limit", _EVENTS))
        first = 0 if params.get("startFromHead") else max(0, len(stream.lines) - n_max)  # without it, the latest
        if (token := params.get("nextToken")) is not None:
            kind, _, place = token.partition("/")
            if kind not in ("f", "b") or not place.isdecimal():
                raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
            if kind == "b":
                raise beyond("read log events backwards")
            first = int(place)
        lines = stream.lines[first : first + n_max]
        at_ms = self._site.utc_ns() // 1_000_000
        return {
            "events": [{"timestamp": at_ms, "message": line, "ingestionTime": at_ms} for line in lines],
            "nextForwardToken": f"f/{first + len(lines)}",
            "nextBackwardToken": "b/0",
        }

    def filter_log_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Lines of several streams, stream by stream, a page at a time; of a pattern only plain words are understood.

        Raises:
            ServiceError: no such group, a wrong token, names together with a prefix; a pattern beyond words (501).
        """
        prefix, names = params.get("logStreamNamePrefix", ""), params.get("logStreamNames")
        if prefix and names:
            text = "Only one of logStreamNames and logStreamNamePrefix may be specified."
            raise ServiceError("InvalidParameterException", text)
        words = _words(params.get("filterPattern", ""))
        at_ms = self._site.utc_ns() // 1_000_000
        found = [
            {"logStreamName": name, "timestamp": at_ms, "message": line, "ingestionTime": at_ms, "eventId": f"{place}"}
            for name, stream in sorted(self._group(params).items())
            if name.startswith(prefix) and (not names or name in names)
            for place, line in enumerate(stream.lines)
            if all(word in line for word in words)
        ]
        try:
            events, token = page(found, params.get("nextToken"), min(_EVENTS, params.get("limit", _EVENTS)))
        except TokenError:
            raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.") from None
        return {"events": events, "searchedLogStreams": []} | ({} if token is None else {"nextToken": token})

    def _group(self, params: Params) -> Mapping[str, LogStream]:
        name = params.get("logGroupName") or params.get("logGroupIdentifier", "").rpartition(":log-group:")[2]
        if not name:
            text = "Exactly one of logGroupName and logGroupIdentifier must be specified."
            raise ServiceError("InvalidParameterException", text)
        for group in self._groups:
            streams = group(name)
            if streams:
                return streams
        raise _missing("log group")


def _words(pattern: str) -> list[str]:
    """What a line must hold, all of it: words, or one phrase in quotes. Raises ServiceError 501 for any more."""
    phrase = re.fullmatch(r'"([^"]*)"', pattern.strip())
    if phrase is not None:
        return [phrase[1]]
    words = pattern.split()
    if not all(re.fullmatch(r"\w+", word) for word in words):
        raise beyond(f"understand the filter pattern {pattern}")
    return words


def _described(name: str, stream: LogStream) -> dict[str, Any]:
    """A container writes at once when it begins; of what it writes later the time is not kept."""
    begun_ms = stream.begun_utc_ns // 1_000_000
    stamps = {"creationTime": begun_ms, "firstEventTimestamp": begun_ms, "lastEventTimestamp": begun_ms}
    return {"logStreamName": name, **stamps}


def _missing(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")
