"""Stacks at work: resources made in order, a failure rolled back, a deletion in reverse; one event for each step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from smbench.emulator.cloudformation.dynamic_references import dereferenced
from smbench.emulator.cloudformation.intrinsics import IMPORT, Lookup, invalid, resolved, text_of
from smbench.emulator.cloudformation.kind import Account, Kind
from smbench.emulator.cloudformation.kinds import CALLS, kind_of
from smbench.emulator.cloudformation.sharing import Sharing
from smbench.emulator.cloudformation.stack import ChangeSet, Event, Made, Stack, changed
from smbench.emulator.cloudformation.templates import Described, pseudo_parameters
from smbench.emulator.faults import Faults
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.front import denial
from smbench.emulator.site import Site

_NOTHING_LEFT = ("DELETE_COMPLETE", "ROLLBACK_COMPLETE")
_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")
_STEP_NS = 200_000_000  # between two looks at a resource; how long CloudFormation takes for each is not documented
STACK = "AWS::CloudFormation::Stack"


class _Failed(Exception):  # noqa: N818  # how a step ends, not an error of the program
    """A resource could not be made or changed, and its event has the reason; or an output, for the reason given."""

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(name)
        self.name, self.reason = name, reason

    def said(self, doing: str) -> str:
        """Of the stack: that it could not `create` or `update`."""
        return self.reason or f"The following resource(s) failed to {doing}: [{self.name}]."


_Undo = tuple[Made | None, Callable[[], None]]  # what was changed, None where it was made; and how to take that back


class Work:
    """Carries out what a stack is to become, in scenario time.

    Args:
        faults: Which of its calls the caller's identity is denied.
        stacks: All by id, those that were deleted too.
    """

    def __init__(self, site: Site, account: Account, faults: Faults, stacks: Mapping[str, Stack]) -> None:
        self.site, self.account, self._faults, self._stacks = site, account, faults, stacks
        self._shared = Sharing(stacks)

    def kind(self, described: Described) -> Kind:
        """Raises ServiceError 501: a type or a property that the emulator does not know."""
        return kind_of(described.name, described.kind, described.properties)

    def create(self, stack: Stack, changes: ChangeSet) -> None:
        """Begin to make everything."""
        stack.template, stack.tags, stack.capabilities = changes.template, changes.tags, changes.capabilities
        self._say(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._begin(self._creation(stack))

    def update(self, stack: Stack, changes: ChangeSet) -> None:
        """Begin to bring a stack to another template."""
        stack.capabilities = changes.capabilities
        self._say(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        self._begin(self._updating(stack, changes))

    def delete(self, stack: Stack) -> None:
        """Begin to delete everything, the last made first."""
        self._say(stack, "DELETE_IN_PROGRESS", "User Initiated")
        self._begin(self._deletion(stack))

    def importers(self, export: str) -> list[str]:
        """Names of the stacks that import an export."""
        alive = {key: one for key, one in self._stacks.items() if one.template and one.status not in _NOTHING_LEFT}
        return self._shared.importers(export, {key: self._lookup(one) for key, one in alive.items()})

    def is_import_lost(self, stack: Stack) -> bool:
        """Whether a deletion would take away what another stack imports; an event says so, and nothing is deleted."""
        lost = self._lost(stack, {})
        if lost:
            self._say(stack, stack.status, lost)
        return bool(lost)

    def _lost(self, stack: Stack, exports: Mapping[str, str]) -> str:
        """Why these may not be all that a stack exports from now on; empty where they may."""
        for name, value in self._shared.of(stack).items():
            if exports.get(name) != value and (importers := self.importers(name)):
                doing = "update" if name in exports else "delete"
                return f"Delete canceled. Cannot {doing} export {name} as it is in use by {', '.join(importers)}."
        return ""

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
            said = failed.said("create")
            if stack.keeps_failed:
                self._say(stack, "CREATE_FAILED", said)
                return
            if stack.vanishes:
                self._say(stack, "DELETE_IN_PROGRESS", f"{said} Delete requested by user.")
                yield from self._deletion(stack)
                return
            self._say(stack, "ROLLBACK_IN_PROGRESS", f"{said} Rollback requested by user.")
            yield from self._remove_all(stack, list(stack.resources), is_rollback=True)
            is_clean = all(made.status in _GONE for made in stack.resources.values())
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
            made.properties, made.tags = self._properties(stack, described)
            name = f"{stack.name}-{described.name}-{self.site.new_id()[:8]}"
            self._require_allowed(CALLS[described.kind].make)
            made.physical = kind.make(self.account, name, made.properties, made.tags)
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
            self._say(stack, "UPDATE_ROLLBACK_IN_PROGRESS", failed.said("update"))
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
        for made in reversed(gone):
            yield from self._remove(stack, made, made.described.deletion)
        for made in reversed(replaced):
            yield from self._remove(stack, made, made.described.replacement)
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
            properties, tags = self._properties(stack, described)
        except (ServiceError, KeyError) as error:
            self._note(stack, old, "UPDATE_FAILED", _text(error))
            raise _Failed(described.name) from error
        if (properties, tags) == (old.properties, old.tags):
            stack.resources[described.name] = replace(old, described=described)
            return
        if kind.change is None or changed(properties, old.properties) & kind.replaced_by:
            replaced.append(old)
            undo.append((None, lambda: self._forget(stack, described.name)))
            yield from self._make(stack, described)
            return
        yield from self._change(stack, old, Made(described, properties, old.physical, tags), undo)

    def _change(self, stack: Stack, old: Made, made: Made, undo: list[_Undo]) -> Iterator[None]:
        described, physical = made.described, made.physical
        kind = self.kind(described)
        assert physical is not None

        def change(to: Made) -> None:
            assert kind.change is not None
            self._require_allowed(CALLS[described.kind].change)
            kind.change(self.account, physical, to.properties, to.tags)

        stack.resources[described.name] = made
        self._note(stack, made, "UPDATE_IN_PROGRESS")
        yield
        undo.append((made, lambda: change(old)))
        try:
            change(made)
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
        self._shared.replace(stack, {})
        stack.deleted = self.site.now()
        self._say(stack, "DELETE_COMPLETE")

    def _remove_all(self, stack: Stack, names: list[str], *, is_rollback: bool = False) -> Iterator[None]:
        """The last made first; what another that is still there needs is left alone."""
        for name in reversed(names):
            needed = any(
                name in made.described.needs and made.status == "DELETE_FAILED" for made in stack.resources.values()
            )
            if not needed:
                made, policy = stack.resources[name], stack.resources[name].described.deletion
                is_kept_if_whole = is_rollback and policy == "RetainExceptOnCreate"
                yield from self._remove(stack, made, "Delete" if is_kept_if_whole else policy)

    def _remove(self, stack: Stack, made: Made, policy: str) -> Iterator[None]:
        if made.status in _GONE:
            return
        if policy != "Delete" and made.physical is not None:
            self._note(stack, made, "DELETE_SKIPPED")
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

    def _properties(self, stack: Stack, described: Described) -> tuple[dict[str, Any], dict[str, str]]:
        """Of a resource, and its tags. Raises ServiceError or KeyError: they are not known, or not as they must be."""
        found = resolved(described.properties, self._lookup(stack))
        value: dict[str, Any] = dereferenced(found, self.account.ssm.value)
        given = value.pop("Tags", [])
        if isinstance(given, dict) and described.kind == "AWS::SSM::Parameter":  # of all types here, it alone has a map
            given = [{"Key": key, "Value": item} for key, item in given.items()]
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise invalid(f"Properties validation failed for resource {described.name}: Tags must be a list of tags")
        own = {text_of(one["Key"]): text_of(one["Value"]) for one in given}
        return value, stack.tags | own if "Tags" in self.kind(described).properties else {}

    def _outputs(self, stack: Stack) -> list[dict[str, str]]:
        """As DescribeStacks shows them. Raises _Failed: there is no such value, or another stack exports its name."""
        assert stack.template is not None
        lookup, shown = self._lookup(stack), list[dict[str, str]]()
        exports = dict[str, str]()
        for name, one in stack.template.outputs.items():
            try:
                value = dereferenced(resolved(one, lookup), self.account.ssm.value)
            except ServiceError as error:
                raise _Failed(name, f"Output {name}: {error.message}") from error
            if value.get("Value") is None:
                continue
            output = {"OutputKey": name, "OutputValue": text_of(value["Value"])}
            if "Description" in value:
                output["Description"] = str(value["Description"])
            if exported := text_of(value.get("Export", {}).get("Name", "")):
                if exported in exports or self._shared.is_taken(exported, stack):
                    raise _Failed(name, f"Export with name {exported} is already exported by another stack.")
                exports[exported] = output["OutputValue"]
                output["ExportName"] = exported
            shown.append(output)
        if lost := self._lost(stack, exports):
            raise _Failed(stack.name, lost)
        self._shared.replace(stack, exports)
        return shown

    def _lookup(self, stack: Stack) -> Lookup:
        assert stack.template is not None
        known = pseudo_parameters(stack.name, stack.id, self.site) | stack.template.parameters.values

        def lookup(name: str, attribute: str) -> Any:
            if name == IMPORT:
                return self._shared.value(attribute)
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
