"""The emulated Resource Groups Tagging API: which resources of the region carry a tag."""

from collections.abc import Callable, Mapping
from typing import Any

from smbench.emulator.protocol.codecs import Params, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.tags import pairs_of

Tagged = Mapping[str, Mapping[str, str]]
"""Tags by ARN."""


class Tagging:
    """GetResources. Args: `sources` give the tags of everything in one service each; roles are in none, as on AWS."""

    service = "tagging"

    def __init__(self, sources: tuple[Callable[[], Tagged], ...]) -> None:
        self._sources = sources
        self.operations: dict[str, Operation] = {"GetResources": self.get_resources}

    def get_resources(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All in one page. Raises ServiceError 501: another filter than one of tags."""
        if unknown := params.keys() - {"TagFilters", "ResourcesPerPage", "PaginationToken"}:
            raise beyond(f"filter resources by {min(unknown)}")
        filters = params.get("TagFilters", [])
        found = [
            {"ResourceARN": arn, "Tags": pairs_of(tags)}
            for source in self._sources
            for arn, tags in source().items()
            if tags and all(_fits(tags, one) for one in filters)
        ]
        return {"ResourceTagMappingList": found, "PaginationToken": ""}


def _fits(tags: Mapping[str, str], wanted: Params) -> bool:
    value = tags.get(wanted.get("Key", ""))
    return value is not None and (not wanted.get("Values") or value in wanted["Values"])
