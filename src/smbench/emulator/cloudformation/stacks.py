"""Stacks at work: resources made in order, a failure rolled back, a deletion in reverse; one event for each step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smbench.emulator.cloudformation.intrinsics import NOTHING, invalid, resolved
from smbench.emulator.cloudformation.kinds import CALLS, Account, Kind, Physical, kind_of
from smbench.emulator.cloudformation.templates import Described, Template, pseudo_parameters
from smbench.emulator.faults import Faults
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.front import denial
from smbench.emulator.site import Site

_STEP_NS = 200_000_000  # between two looks at a resource; how long CloudFormation takes for each is not documented
STACK = "AWS::CloudFormation::Stack"


@dataclass(slots=True)
class Made:
    """A resource of a stack: what it was made of, and what was made."""

    described: Described
    properties: dict[str, Any]
    physical: Physical | None
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

    @property
    def is_empty(self) -> bool:
        """Nothing would change: AWS calls such a change set FAILED."""
        return not self.changes


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
    outputs: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    updated: datetime | None = None
    carried_out_by: str = ""  # token of the request that began the latest change

    @property
    def is_busy(self) -> bool:
        """Something is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class _Failed(Exception):  # noqa: N818  # how a step ends, not an error of the program
    """A resource could not be made or changed; its event has the reason."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


_Undo = tuple[Made | None, Callable[[], None]]  # what was changed, None where it was made; and how to take that back


class Work:
    """Carries out what a stack is to become, in scenario time.

    Args:
        faults: Which of its calls the caller's identity is denied.
    """

    def __init__(self, site: Site, account: Account, faults: Faults) -> None:
        self.site, self.account, self._faults = site, account, faults

    def kind(self, described: Described) -> Kind:
        """Raises ServiceError 501: a type or a property that the emulator does not know."""
        return kind_of(described.name, described.kind, described.properties)

    def create(self, stack: Stack, changes: ChangeSet) -> None:
        """Begin to make everything."""
        stack.template, stack.tags = changes.template, changes.tags
        self._say(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._begin(self._creation(stack))

    def update(self, stack: Stack, changes: ChangeSet) -> None:
        """Begin to bring a stack to another template."""
        self._say(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        self._begin(self._updating(stack, changes))

    def delete(self, stack: Stack) -> None:
        """Begin to delete everything, the last made first."""
        self._say(stack, "DELETE_IN_PROGRESS", "User Initiated")
        self._begin(self._deletion(stack))

    def _begin(self, steps: Iterator[None]) -> None:
        def step() -> None:
            try:
                next(steps)
            except StopIteration:
                return
            self.site.event_queue.at(self.site.now_ns + _STEP_NS, step)

        step()

    # creation

    def _creation(self, stack: Stack) -> Iterator[None]:
        assert stack.template is not None
        yield
        try:
            for described in stack.template.resources.values():
                yield from self._make(stack, described)
            stack.outputs = self._outputs(stack)
        except _Failed as failed:
            said = f"The following resource(s) failed to create: [{failed.name}]. Rollback requested by user."
            self._say(stack, "ROLLBACK_IN_PROGRESS", said)
            yield from self._remove_all(stack, list(stack.resources))
            is_clean = all(made.status == "DELETE_COMPLETE" for made in stack.resources.values())
            self._say(stack, "ROLLBACK_COMPLETE" if is_clean else "ROLLBACK_FAILED")
            return
        self._say(stack, "CREATE_COMPLETE")

    def _make(self, stack: Stack, described: Described) -> Iterator[None]:
        made = Made(described, {}, None)
        stack.resources[described.name] = made
        self._note(stack, made, "CREATE_IN_PROGRESS")
        yield
        kind = self.kind(described)
        try:
            made.properties = self._properties(stack, described)
            name = f"{stack.name}-{described.name}-{self.site.new_id()[:8]}"
            self._require_allowed(CALLS[described.kind].make)
            made.physical = kind.make(self.account, name, made.properties, stack.tags)
            self._note(stack, made, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        except (ServiceError, KeyError) as error:
            self._note(stack, made, "CREATE_FAILED", _text(error))
            raise _Failed(described.name) from error
        yield from self._settled(stack, made, kind, "CREATE")

    def _settled(self, stack: Stack, made: Made, kind: Kind, doing: str) -> Iterator[None]:
        assert made.physical is not None
        while (trouble := kind.trouble(self.account, made.physical)) is None:
            yield
        self._note(stack, made, f"{doing}_FAILED" if trouble else f"{doing}_COMPLETE", trouble)
        if trouble:
            raise _Failed(made.described.name)

    # update

    def _updating(self, stack: Stack, changes: ChangeSet) -> Iterator[None]:
        before, undo = dict(stack.resources), list[_Undo]()
        old_template, old_tags = stack.template, stack.tags
        stack.template, stack.tags = changes.template, changes.tags
        replaced: list[Made] = []
        yield
        try:
            for described in changes.template.resources.values():
                yield from self._bring(stack, described, before.get(described.name), undo, replaced)
            stack.outputs = self._outputs(stack)
        except _Failed as failed:
            said = f"The following resource(s) failed to update: [{failed.name}]."
            self._say(stack, "UPDATE_ROLLBACK_IN_PROGRESS", said)
            stuck: dict[str, Made] = {}
            for made, step in reversed(undo):
                if reason := _tried(step):
                    assert made is not None, "only a change can be refused when it is taken back"
                    stuck[made.described.name] = made
                    self._note(stack, made, "UPDATE_FAILED", reason)
                yield
            stack.resources, stack.template, stack.tags = before | stuck, old_template, old_tags
            if stuck:
                said = f"The following resource(s) failed to update: [{', '.join(stuck)}]. "
                self._say(stack, "UPDATE_ROLLBACK_FAILED", said)
            else:
                self._say(stack, "UPDATE_ROLLBACK_COMPLETE")
            return
        self._say(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [made for name, made in before.items() if name not in changes.template.resources]
        for made in [*reversed(gone), *reversed(replaced)]:
            yield from self._remove(stack, made)
        for made in gone:
            stack.resources.pop(made.described.name, None)
        stack.updated = self.site.now()
        self._say(stack, "UPDATE_COMPLETE")

    def _bring(
        self,
        stack: Stack,
        described: Described,
        old: Made | None,
        undo: list[_Undo],
        replaced: list[Made],
    ) -> Iterator[None]:
        kind = self.kind(described)
        if old is None or old.physical is None or old.described.kind != described.kind:
            undo.append((None, lambda: self._forget(stack, described.name)))
            yield from self._make(stack, described)
            return
        try:
            properties = self._properties(stack, described)
        except (ServiceError, KeyError) as error:
            self._note(stack, old, "UPDATE_FAILED", _text(error))
            raise _Failed(described.name) from error
        if properties == old.properties:
            stack.resources[described.name] = old
            return
        if kind.change is None or _changed(properties, old.properties) & kind.replaced_by:
            replaced.append(old)
            undo.append((None, lambda: self._forget(stack, described.name)))
            yield from self._make(stack, described)
            return
        yield from self._change(stack, described, old, properties, undo)

    def _change(
        self,
        stack: Stack,
        described: Described,
        old: Made,
        properties: dict[str, Any],
        undo: list[_Undo],
    ) -> Iterator[None]:
        kind, physical, tags = self.kind(described), old.physical, stack.tags
        assert physical is not None

        def change(properties: dict[str, Any]) -> None:
            assert kind.change is not None
            self._require_allowed(CALLS[described.kind].change)
            kind.change(self.account, physical, properties, tags)

        made = Made(described, properties, physical)
        stack.resources[described.name] = made
        self._note(stack, made, "UPDATE_IN_PROGRESS")
        yield
        undo.append((made, lambda: change(old.properties)))
        try:
            change(properties)
        except (ServiceError, KeyError) as error:
            undo.pop()  # it was refused whole
            self._note(stack, made, "UPDATE_FAILED", _text(error))
            raise _Failed(described.name) from error
        yield from self._settled(stack, made, kind, "UPDATE")

    def _forget(self, stack: Stack, name: str) -> None:
        made = stack.resources[name]
        if made.physical is not None:
            self._try_removal(made)

    # deletion

    def _deletion(self, stack: Stack) -> Iterator[None]:
        yield
        yield from self._remove_all(stack, list(stack.resources))
        left = [name for name, made in stack.resources.items() if made.status == "DELETE_FAILED"]
        if left:
            self._say(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(left)}]. ")
            return
        self._say(stack, "DELETE_COMPLETE")

    def _remove_all(self, stack: Stack, names: list[str]) -> Iterator[None]:
        """The last made first; what another that is still there needs is left alone."""
        for name in reversed(names):
            needed = any(
                name in made.described.needs and made.status == "DELETE_FAILED" for made in stack.resources.values()
            )
            if not needed:
                yield from self._remove(stack, stack.resources[name])

    def _remove(self, stack: Stack, made: Made) -> Iterator[None]:
        if made.status == "DELETE_COMPLETE":
            return
        self._note(stack, made, "DELETE_IN_PROGRESS")
        yield
        reason = self._try_removal(made)
        self._note(stack, made, "DELETE_FAILED" if reason else "DELETE_COMPLETE", reason)

    def _try_removal(self, made: Made) -> str:
        """Why it could not be removed; empty when it is gone."""
        if made.physical is None:
            return ""
        physical = made.physical

        def remove() -> None:
            self._require_allowed(CALLS[made.described.kind].remove)
            self.kind(made.described).remove(self.account, physical)

        return _tried(remove)

    def _require_allowed(self, call: str) -> None:
        """Raises ServiceError: the identity that CloudFormation acts for may not make this call."""
        if self._faults.denies(call, self.site.now_ns):
            raise denial(call.partition(":")[0], call)

    # values

    def _properties(self, stack: Stack, described: Described) -> dict[str, Any]:
        assert stack.template is not None
        value: dict[str, Any] = resolved(described.properties, self._lookup(stack), stack.template.conditions)
        return value

    def _outputs(self, stack: Stack) -> dict[str, str]:
        assert stack.template is not None
        lookup, conditions = self._lookup(stack), stack.template.conditions
        values = {name: resolved(one["Value"], lookup, conditions) for name, one in stack.template.outputs.items()}
        return {name: str(value) for name, value in values.items() if value is not NOTHING}

    def _lookup(self, stack: Stack) -> Callable[[str, str], Any]:
        assert stack.template is not None
        known: Mapping[str, str] = pseudo_parameters(stack.name, stack.id, self.site) | stack.template.parameters

        def lookup(name: str, attribute: str) -> Any:
            if attribute == "" and name in known:
                return known[name]
            made = stack.resources.get(name)
            if made is None or made.physical is None:
                raise invalid(f"Unresolved resource dependencies [{name}] in the Resources block of the template")
            if attribute == "":
                return made.physical.id
            if attribute not in made.physical.attributes:
                raise invalid(f"Requested attribute {attribute} does not exist in schema for {made.described.kind}")
            return made.physical.attributes[attribute]

        return lookup

    # events

    def _note(self, stack: Stack, made: Made, status: str, reason: str = "") -> None:
        made.status, made.reason, made.at = status, reason, self.site.now()
        physical = made.physical.id if made.physical else ""
        described = made.described
        event = Event(self.site.new_id(), described.name, described.kind, physical, status, reason, made.at)
        stack.events.append(event)

    def _say(self, stack: Stack, status: str, reason: str = "") -> None:
        stack.status, stack.reason = status, reason
        event = Event(self.site.new_id(), stack.name, STACK, stack.id, status, reason, self.site.now())
        stack.events.append(event)


def changes_of(stack: Stack, template: Template, work: Work) -> tuple[tuple[str, str, str, str, str], ...]:
    """What carrying out a template would change, in the order of making; removals last."""
    if stack.template is None:
        return tuple(("Add", one.name, one.kind, "", "") for one in template.resources.values())
    found: list[tuple[str, str, str, str, str]] = []
    moved: set[str] = set()  # replaced, so that what refers to them changes, too
    for one in template.resources.values():
        old, kind = stack.resources.get(one.name), work.kind(one)
        if old is None or old.physical is None:
            found.append(("Add", one.name, one.kind, "", ""))
            continue
        is_same = one.properties == old.described.properties and template.parameters == stack.template.parameters
        if is_same and not one.needs & moved:
            continue
        changed = _changed(one.properties, old.described.properties)
        is_replaced = kind.change is None or bool(changed & kind.replaced_by)
        moved |= {one.name} if is_replaced else set()
        found.append(("Modify", one.name, one.kind, old.physical.id, "True" if is_replaced else "False"))
    for name, old in stack.resources.items():
        if name not in template.resources and old.physical is not None:
            found.append(("Remove", name, old.described.kind, old.physical.id, ""))
    return tuple(found)


def _changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> set[str]:
    return {name for name in new.keys() | old.keys() if new.get(name) != old.get(name)}


def _tried(step: Callable[[], None]) -> str:
    """Why a step was refused; empty when it is done."""
    try:
        step()
    except (ServiceError, KeyError) as error:
        return _text(error)
    return ""


def _text(error: ServiceError | KeyError) -> str:
    if isinstance(error, ServiceError):
        return f"{error.message} (Status Code: {error.status}; Error Code: {error.code})"
    return f"required key [{error.args[0]}] not found"
