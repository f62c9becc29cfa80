"""A CloudFormation stack as we deal with it: looked up, changed by a change set, followed to its end, deleted."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import anyio
from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.refusals import told_by, without_long_lists
from smbench.errors import TargetError
from smbench.stack.soundness import problems_of
from smbench.stack.template import TAG, Template, stack_name

_READY_S = 300.0  # until a change set must be ready
_LOOK_S, _LOOK_LOOPBACK_S = 5.0, 0.2
_CHANGE_SET = "smbench"
_STACK = "AWS::CloudFormation::Stack"
_NOT_OURS = {"ChangeSetNotFound", "ChangeSetNotFoundException", "InvalidChangeSetStatus"}
_EMPTY = ("didn't contain changes", "No updates are to be performed")
_GOING = "DELETE_IN_PROGRESS"
NEW = "REVIEW_IN_PROGRESS"  # a stack of which nothing but a change set was ever made
CHANGEABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}


@dataclass(frozen=True, slots=True)
class StackFound:
    """A stack as it is now."""

    id: str
    status: str
    tags: dict[str, str]
    outputs: dict[str, str]

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """From DescribeStacks."""
        tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
        outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
        return cls(described["StackId"], described["StackStatus"], tags, outputs)

    @property
    def is_busy(self) -> bool:
        """CloudFormation: it is changing the stack."""
        return self.status.endswith("_IN_PROGRESS") and self.status != NEW


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One step of CloudFormation's: `at` as `HH:MM:SS` in UTC, `reason` empty where there is none."""

    at: str
    status: str
    name: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What carrying out a template would change; empty where nothing would.

    Args:
        arn: Of this one alone: another may have its name later.
    """

    arn: str
    changes: "tuple[Change, ...]"


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to one resource: `action` is Add, Modify, Replace or Remove."""

    action: str
    name: str
    kind: str


Progress = Callable[[StackEvent], None]


async def find_stack(clients: AwsClients, name: str) -> StackFound | None:
    """The stack of a benchmark; None where there is none. A stack's id finds a deleted one, too.

    Raises:
        TargetError: it cannot be looked up.
    """
    with clients.explained(f"look up the stack {name}"):
        try:
            answer = await clients.cloudformation.describe_stacks(StackName=name)
        except ClientError as error:
            if "does not exist" in told_by(error):
                return None
            raise
    return StackFound.of(answer["Stacks"][0])


async def ours(clients: AwsClients, name: str) -> StackFound | None:
    """As `find_stack`, of the benchmark `name`. Raises TargetError: a stack of that name is not smbench's."""
    found = await find_stack(clients, stack_name(name))
    if found is not None and found.status != NEW and found.tags.get(TAG) != name:
        is_going = found.status == _GOING
        advice = "it is being deleted: try again in a minute" if is_going else "nothing was touched: take another NAME"
        raise TargetError(f"the stack {stack_name(name)} has no tag {TAG}={name}: smbench did not make it", advice)
    return found


async def make_change_set(clients: AwsClients, name: str, template: Template, *, is_new: bool) -> ChangeSet:
    """What carrying out the template would change; where that is nothing, the change set is gone again.

    Raises:
        TargetError: our own checks or AWS refuse the template.
    """
    if problems := problems_of(template):
        raise TargetError(f"AWS would refuse the template: {'; '.join(problems)}")
    named = {"StackName": stack_name(name), "ChangeSetName": _CHANGE_SET}
    with clients.explained(f"make a change set of the stack {stack_name(name)}"):
        await _without_change_set(clients, name)  # of an earlier try
        made = await clients.cloudformation.create_change_set(
            **named,
            ClientToken=_token(),
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": TAG, "Value": name}],
        )
        shown = await _made(clients, stack_name(name), made["Id"])
    if shown["Status"] == "FAILED":
        reason = shown.get("StatusReason", "")
        await _without_change_set(clients, name)
        if any(text in reason for text in _EMPTY):
            return ChangeSet(made["Id"], ())
        raise TargetError(f"AWS refuses the template: {without_long_lists(reason)}")
    return ChangeSet(made["Id"], tuple(_change(one["ResourceChange"]) for one in shown["Changes"]))


def _token() -> str:
    """Names one request: where its answer is lost, AWS knows the next try of it for the same."""
    return f"smbench-{secrets.token_hex(8)}"


async def _made(clients: AwsClients, name: str, arn: str) -> dict[str, Any]:
    """The change set once AWS has compared."""
    with anyio.fail_after(_READY_S):
        while True:
            shown: dict[str, Any] = await clients.cloudformation.describe_change_set(StackName=name, ChangeSetName=arn)
            if shown["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return shown
            await anyio.sleep(look_s(clients))


def _change(shown: dict[str, Any]) -> Change:
    is_replaced = shown.get("Replacement") == "True"
    return Change("Replace" if is_replaced else shown["Action"], shown["LogicalResourceId"], shown["ResourceType"])


async def discard_change_set(clients: AwsClients, name: str) -> None:
    """Remove the change set that will not be carried out, and the stack where it never was anything else."""
    await _without_change_set(clients, name)
    found = await find_stack(clients, stack_name(name))
    if found is not None and found.status == NEW:
        await delete(clients, found.id, lambda _: None)  # to its end: until then it has its name and no tag


async def _without_change_set(clients: AwsClients, name: str) -> None:
    with clients.explained("remove the change set"):
        try:
            await clients.cloudformation.delete_change_set(StackName=stack_name(name), ChangeSetName=_CHANGE_SET)
        except ClientError as error:
            if "does not exist" not in told_by(error):
                raise


async def carry_out(clients: AwsClients, name: str, change_set: ChangeSet, progress: Progress) -> StackFound:
    """Execute the change set, this one and no other, and follow it to its end.

    Raises:
        TargetError: CloudFormation took it back, and it says which resource failed and why; or somebody else has
            replaced or removed the change set.
    """
    seen = await _event_ids(clients, stack_name(name))
    with clients.explained(f"carry out the change set of {stack_name(name)}"):
        try:
            await clients.cloudformation.execute_change_set(
                StackName=stack_name(name), ChangeSetName=change_set.arn, ClientRequestToken=_token()
            )
        except ClientError as error:
            if code_of(error) in _NOT_OURS:
                raise TargetError(
                    f"the change set of {stack_name(name)} does not exist any more: another `smbench deploy` or "
                    f"`smbench destroy` is changing the stack",
                    "wait for its end, then deploy again to see what is left to change",
                ) from error
            raise
    found, failures = await _follow(clients, stack_name(name), seen, progress)
    if found.status not in DONE:
        raise _taken_back(name, found, failures)
    return found


def _taken_back(name: str, found: StackFound, failures: list[StackEvent]) -> TargetError:
    """What could not be made, why, and what became of the rest."""
    first = failures[0] if failures else StackEvent("", "", stack_name(name), "", found.status)
    how = "changed" if first.status == "UPDATE_FAILED" else "made"
    why = f"{first.name} could not be {how}: {first.reason}"
    destroy = f"`smbench destroy {name}`"
    if found.status.endswith("ROLLBACK_FAILED"):
        stuck = "; ".join(f"{one.name}: {one.reason}" for one in failures[1:])
        return TargetError(
            f"{why}; and the stack {stack_name(name)} could not be rolled back ({found.status})"
            + (f": {stuck}" if stuck else ""),
            f"{destroy} removes what there is: correct this and deploy again",
        )
    return TargetError(
        f"the stack {stack_name(name)} was rolled back: {why}",
        f"the stack is as it was, and {destroy} removes it: correct this and deploy again"
        if found.status in CHANGEABLE
        else f"{destroy}, then correct this and deploy again",
    )


async def delete(clients: AwsClients, stack_id: str, progress: Progress) -> tuple[StackFound, list[StackEvent]]:
    """Delete a stack and follow it; how it ended, and what could not be deleted."""
    seen = await _event_ids(clients, stack_id)
    with clients.explained("delete the stack"):
        await clients.cloudformation.delete_stack(StackName=stack_id)
    return await _follow(clients, stack_id, seen, progress)


async def follow(clients: AwsClients, stack_id: str, progress: Progress) -> StackFound:
    """Wait until CloudFormation has ended what it is at."""
    found, _ = await _follow(clients, stack_id, await _event_ids(clients, stack_id), progress)
    return found


async def _event_ids(clients: AwsClients, stack: str) -> set[str]:
    with clients.explained("read the events of the stack"):
        pages = clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        return {event["EventId"] async for page in pages for event in page["StackEvents"]}


async def _follow(
    clients: AwsClients, stack: str, seen: set[str], progress: Progress
) -> tuple[StackFound, list[StackEvent]]:
    failures: list[StackEvent] = []
    while True:
        with clients.explained("follow the stack"):
            answer = await clients.cloudformation.describe_stacks(StackName=stack)
            pages = clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
            fresh = [one async for page in pages for one in page["StackEvents"] if one["EventId"] not in seen]
        for one in reversed(fresh):
            seen.add(one["EventId"])
            event = _event(one)
            progress(event)
            if event.status.endswith("_FAILED") and event.kind != _STACK:
                failures.append(event)
        found = StackFound.of(answer["Stacks"][0])
        if not found.is_busy:
            return found, failures
        await anyio.sleep(look_s(clients))


def _event(shown: dict[str, Any]) -> StackEvent:
    return StackEvent(
        f"{shown['Timestamp']:%H:%M:%S}",
        shown["ResourceStatus"],
        shown["LogicalResourceId"],
        shown["ResourceType"],
        without_long_lists(shown.get("ResourceStatusReason", "")),
    )


def look_s(clients: AwsClients) -> float:
    """Between two looks at what AWS is at work on."""
    return _LOOK_LOOPBACK_S if clients.is_loopback else _LOOK_S
