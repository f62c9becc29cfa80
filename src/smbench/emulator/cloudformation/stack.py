"""What is known of a stack: its resources, its events, and what a template would change of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smbench.emulator.cloudformation.kind import Physical
from smbench.emulator.cloudformation.kinds import kind_of
from smbench.emulator.cloudformation.templates import Described, Template


@dataclass(slots=True)
class Made:
    """A resource of a stack: what it was made of, and what was made.

    Args:
        properties: All but its tags.
        tags: Its own and the stack's.
    """

    described: Described
    properties: dict[str, Any]
    physical: Physical | None
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    name: str
    kind: str
    physical_id: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What a template would change. `changes`: action, name, type, physical id, replacement; `token` the request's."""

    id: str
    name: str
    template: Template
    tags: dict[str, str]
    changes: tuple[tuple[str, str, str, str, str], ...]
    created: datetime
    token: str = ""
    capabilities: tuple[str, ...] = ()
    description: str = ""
    has_other_outputs: bool = False  # than the stack has now

    @property
    def is_empty(self) -> bool:
        """Nothing would change: AWS calls such a change set FAILED."""
        return not self.changes and not self.has_other_outputs


@dataclass(slots=True)
class Stack:
    """One stack, alive or deleted."""

    name: str
    id: str
    created: datetime
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    template: Template | None = None
    tags: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Made] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    updated: datetime | None = None
    deleted: datetime | None = None
    capabilities: tuple[str, ...] = ()  # as given with the latest change
    keeps_failed: bool = False  # what could not be made whole is not taken back
    vanishes: bool = False  # what could not be made whole is deleted, the stack with it
    is_protected: bool = False
    carried_out_by: str = ""  # token of the request that began the latest change

    @property
    def is_busy(self) -> bool:
        """Something is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


def changes_of(stack: Stack, template: Template, tags: Mapping[str, str]) -> tuple[tuple[str, str, str, str, str], ...]:
    """What carrying out a template would change, in the order of making; removals last."""
    if stack.template is None:
        return tuple(("Add", one.name, one.kind, "", "") for one in template.resources.values())
    found: list[tuple[str, str, str, str, str]] = []
    moved: set[str] = set()  # replaced, so that what refers to them changes, too
    for one in template.resources.values():
        old, kind = stack.resources.get(one.name), kind_of(one.name, one.kind, one.properties)
        if old is None or old.physical is None:
            found.append(("Add", one.name, one.kind, "", ""))
            continue
        has_same_tags = tags == stack.tags or "Tags" not in kind.properties
        has_same_values = template.parameters.values == stack.template.parameters.values
        if one.properties == old.described.properties and has_same_values and has_same_tags and not one.needs & moved:
            continue
        differing = changed(one.properties, old.described.properties)
        is_replaced = kind.change is None or bool(differing & kind.replaced_by)
        moved |= {one.name} if is_replaced else set()
        found.append(("Modify", one.name, one.kind, old.physical.id, "True" if is_replaced else "False"))
    for name, old in stack.resources.items():
        if name not in template.resources and old.physical is not None:
            found.append(("Remove", name, old.described.kind, old.physical.id, ""))
    return tuple(found)


def changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> set[str]:
    """Names of the properties that differ."""
    return {name for name in new.keys() | old.keys() if new.get(name) != old.get(name)}
