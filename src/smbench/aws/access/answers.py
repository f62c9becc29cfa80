"""Answers that botocore's parsers cannot read: they raise ResponseParserError, the one name that every caller knows.

They recurse with the JSON they are given and trust its shape; a proxy, or anything else that is no AWS, may send any.
"""

from datetime import datetime
from typing import Any

from aiobotocore.parsers import AioResponseParserFactory
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

UNREADABLE_BODY = (AttributeError, LookupError, RecursionError, TypeError, ValueError)


class SoundParsers(AioResponseParserFactory):
    """botocore's own parsers; register it as `response_parser_factory`."""

    def __init__(self) -> None:
        super().__init__()
        self.set_parser_defaults(timestamp_parser=_instant)

    def create_parser(self, protocol_name: str) -> Any:
        """A parser whose `parse` raises ResponseParserError for whatever it trips over."""
        parser: Any = super().create_parser(protocol_name)
        parse = parser.parse

        async def parsed(response: Any, shape: Any) -> Any:
            try:
                return await parse(response, shape)
            except UNREADABLE_BODY as error:
                what = f"the body of an answer of status {response.get('status_code')}"
                raise ResponseParserError(f"{what}: {type(error).__name__}") from error

        parser.parse = parsed
        return parser


def _instant(value: Any) -> Any:
    """As botocore's; the form that CloudWatch and S3 write is not left to dateutil, which takes 0.3 ms for one."""
    if isinstance(value, str) and value[10:11] == "T" and value[-1] == "Z":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return parse_timestamp(value)
