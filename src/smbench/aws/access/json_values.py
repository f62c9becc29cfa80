"""What the AWS client returns, as JSON holds it."""

import datetime
from typing import Any


def plain(value: Any) -> Any:
    """Instants as ISO 8601 text, tuples as lists; everything else as it is."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value
