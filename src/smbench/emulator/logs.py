"""The emulated CloudWatch Logs: the streams of processing jobs, read from their beginning."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site

_GROUP = "/aws/sagemaker/ProcessingJobs"
_PAGE = 10_000


class Logs:
    """DescribeLogStreams and GetLogEvents. Args: `streams` gives the lines of each stream, now."""

    service = "logs"

    def __init__(self, site: Site, streams: Callable[[], Mapping[str, Sequence[str]]]) -> None:
        self._site, self._streams = site, streams
        self.operations: dict[str, Operation] = {
            "DescribeLogStreams": self.describe_log_streams,
            "GetLogEvents": self.get_log_events,
        }

    def describe_log_streams(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All in one page. Raises ServiceError: no such group."""
        names = sorted(name for name in self._group(params) if name.startswith(params.get("logStreamNamePrefix", "")))
        return {"logStreams": [{"logStreamName": name} for name in names]}

    def get_log_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Forwards, a page at a time; the token of the last is given back. Raises ServiceError: no such stream."""
        streams = self._group(params)
        if params["logStreamName"] not in streams:
            raise _missing("log stream")
        first = int(params.get("nextToken", "f/0").removeprefix("f/"))
        lines = streams[params["logStreamName"]][first : first + min(_PAGE, params.get("limit", _PAGE))]
        at_ms = self._site.utc_ns() // 1_000_000
        return {
            "events": [{"timestamp": at_ms, "message": line, "ingestionTime": at_ms} for line in lines],
            "nextForwardToken": f"f/{first + len(lines)}",
            "nextBackwardToken": "b/0",
        }

    def _group(self, params: Params) -> Mapping[str, Sequence[str]]:
        streams = self._streams()
        if params.get("logGroupName") != _GROUP or not streams:
            raise _missing("log group")
        return streams


def _missing(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")
