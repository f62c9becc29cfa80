"""What stacks share: exports, and which stacks import them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smbench.emulator.cloudformation.intrinsics import IMPORT, Lookup, invalid, resolved, text_of
from smbench.emulator.cloudformation.stack import Stack
from smbench.emulator.protocol.codecs import ServiceError


@dataclass(frozen=True, slots=True)
class Export:
    stack_id: str
    value: str


class Sharing:
    """The exports of one account. Args: `stacks` are all by id, those that were deleted too."""

    def __init__(self, stacks: Mapping[str, Stack]) -> None:
        self._stacks = stacks
        self._exports: dict[str, Export] = {}

    def value(self, name: str) -> str:
        """What an export holds. Raises ServiceError: there is none of that name."""
        if name not in self._exports:
            raise invalid(f"No export named {name} found.")
        return self._exports[name].value

    def of(self, stack: Stack) -> dict[str, str]:
        """A stack's own: values by name."""
        return {name: one.value for name, one in self._exports.items() if one.stack_id == stack.id}

    def is_taken(self, name: str, by_other_than: Stack) -> bool:
        """Whether another stack exports this name."""
        return name in self._exports and self._exports[name].stack_id != by_other_than.id

    def replace(self, stack: Stack, exports: Mapping[str, str]) -> None:
        """Let these be all that a stack exports."""
        kept = {name: one for name, one in self._exports.items() if one.stack_id != stack.id}
        self._exports = kept | {name: Export(stack.id, value) for name, value in exports.items()}

    def importers(self, name: str, lookup_of: Mapping[str, Lookup]) -> list[str]:
        """Names of the stacks that import an export. `lookup_of`: by the id of each stack, what its values are."""
        return [
            self._stacks[stack_id].name
            for stack_id, lookup in lookup_of.items()
            if name in _imported(self._stacks[stack_id], lookup)
        ]


def _imported(stack: Stack, lookup: Lookup) -> set[str]:
    """The exports that the resources and outputs of a stack read."""
    if stack.template is None:
        return set()
    found = set[str]()
    properties = [one.properties for one in stack.template.resources.values()]
    for argument in _arguments([*properties, stack.template.outputs]):
        try:
            found.add(text_of(resolved(argument, lookup)))
        except ServiceError:  # it names a resource that was not made
            continue
    return found


def _arguments(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _arguments(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == IMPORT:
                yield item
            else:
                yield from _arguments(item)
