"""Dynamic references in a template's values: `{{resolve:ssm:NAME}}`, read when a resource is made."""

import re
from collections.abc import Callable
from typing import Any

from smbench.emulator.cloudformation.intrinsics import invalid
from smbench.emulator.protocol.codecs import beyond

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]*)\}\}")


def dereferenced(value: Any, stored: Callable[[str], str | None]) -> Any:
    """The value, with each reference replaced by what it refers to.

    Args:
        stored: What the Parameter Store has under a name, or a name and a version.

    Raises:
        ServiceError: nothing is stored under that name, or it is a reference to a secret (501).
    """
    if isinstance(value, dict):
        return {key: dereferenced(item, stored) for key, item in value.items()}
    if isinstance(value, list):
        return [dereferenced(item, stored) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value

    def read(match: re.Match[str]) -> str:
        if match[1] != "ssm":
            raise beyond(f"read dynamic references to {match[1]}")
        found = stored(match[2])
        if found is None:
            raise invalid(f"Unable to fetch parameters [{match[2]}] from parameter store for this account.")
        return found

    return _REFERENCE.sub(read, value)
