"""The emulated CloudFormation: change sets, stacks and their events, for the types of resources that are emulated."""

from typing import Any

from smbench.emulator.cloudformation.intrinsics import invalid
from smbench.emulator.cloudformation.kinds import Account
from smbench.emulator.cloudformation.stacks import ChangeSet, Event, Made, Stack, Work, changes_of
from smbench.emulator.cloudformation.templates import Template, is_secret, read_template, unfilled
from smbench.emulator.faults import Faults
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site

_TEMPLATE_MAX_BYTES = 51_200
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_ROLE = "AWS::IAM::Role"
_IAM = {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}
_UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


class CloudFormation:
    """Operations on stacks. A template that needs what is not emulated is refused by resource type and property.

    Args:
        faults: Which of the calls that it makes for its caller the caller's identity is denied.
    """

    service = "cloudformation"

    def __init__(self, site: Site, account: Account, faults: Faults) -> None:
        self.site = site
        self.work = Work(site, account, faults)
        self.stacks: dict[str, Stack] = {}  # by id, deleted ones too
        self.operations: dict[str, Operation] = {
            "CreateChangeSet": self.create_change_set,
            "DescribeChangeSet": self.describe_change_set,
            "ExecuteChangeSet": self.execute_change_set,
            "DeleteChangeSet": self.delete_change_set,
            "DescribeStacks": self.describe_stacks,
            "DescribeStackEvents": self.describe_stack_events,
            "DescribeStackResources": self.describe_stack_resources,
            "DeleteStack": self.delete_stack,
            "GetTemplate": self.get_template,
            "ValidateTemplate": self.validate_template,
        }

    # change sets

    def create_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Of a new stack or of one that is there.

        Raises:
            ServiceError: the template cannot be carried out, a capability is missing, or the stack is not as wanted.
        """
        if "TemplateBody" not in params:
            raise beyond("read templates that are not in the call (TemplateBody)")
        name, kind = params["StackName"], params.get("ChangeSetType", "UPDATE")
        stack = self._alive(name)
        if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise ServiceError("AlreadyExistsException", f"Stack [{name}] already exists")
        if kind == "UPDATE" and (stack is None or stack.status not in _UPDATABLE):
            raise self._not_updatable(name, stack)
        if kind not in ("CREATE", "UPDATE"):
            raise beyond(f"make change sets of type {kind}")
        if stack is None:
            stack_id = self.site.arn("cloudformation", f"stack/{name}/{self.site.new_id()}")
            stack = Stack(name, stack_id, self.site.now())
        template = self._checked_template(params, stack)
        token = params.get("ClientToken", "")
        if (there := stack.change_sets.get(params["ChangeSetName"])) is not None:
            if token and there.token == token:
                return {"Id": there.id, "StackId": stack.id}
            raise ServiceError("AlreadyExistsException", f"ChangeSet {params['ChangeSetName']} already exists")
        change_id = self.site.arn("cloudformation", f"changeSet/{params['ChangeSetName']}/{self.site.new_id()}")
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        changes = changes_of(stack, template, self.work)
        made = ChangeSet(change_id, params["ChangeSetName"], template, tags, changes, self.site.now(), token)
        self.stacks[stack.id] = stack
        stack.change_sets[made.name] = made
        return {"Id": made.id, "StackId": stack.id}

    def _not_updatable(self, name: str, stack: Stack | None) -> ServiceError:
        if stack is None:
            return invalid(f"Stack [{name}] does not exist")
        return invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def _checked_template(self, params: Params, stack: Stack) -> Template:
        given = {one["ParameterKey"]: one.get("ParameterValue", "") for one in params.get("Parameters", [])}
        template = self._read(params["TemplateBody"], given, stack.name, stack.id)
        has_role = any(one.kind == _ROLE for one in template.resources.values())
        if has_role and _IAM.isdisjoint(params.get("Capabilities", [])):
            raise ServiceError("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
        return template

    def _read(self, text: str, given: dict[str, str], name: str, stack_id: str) -> Template:
        if len(text.encode()) > _TEMPLATE_MAX_BYTES:
            raise invalid(f"1 validation error detected: TemplateBody is longer than {_TEMPLATE_MAX_BYTES} bytes")
        template = read_template(text, given, name, stack_id, self.site)
        for one in template.resources.values():
            self.work.kind(one)
        return template

    def describe_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Complete at once. Raises ServiceError: no such change set."""
        stack, made = self._change_set(params)
        status = ("FAILED", "UNAVAILABLE") if made.is_empty else ("CREATE_COMPLETE", "AVAILABLE")
        return {
            "ChangeSetName": made.name,
            "ChangeSetId": made.id,
            "StackId": stack.id,
            "StackName": stack.name,
            "CreationTime": made.created,
            "Status": status[0],
            "ExecutionStatus": status[1],
            "Tags": [{"Key": key, "Value": value} for key, value in made.tags.items()],
            "Changes": [_change(*one) for one in made.changes],
        } | ({"StatusReason": _NO_CHANGES} if made.is_empty else {})

    def execute_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Begin to carry it out, once for a token. Raises ServiceError: no such change set, or it is empty."""
        token = params.get("ClientRequestToken", "")
        if token and any(stack.carried_out_by == token for stack in self.stacks.values()):
            return {}
        stack, made = self._change_set(params)
        if made.is_empty or stack.is_busy:
            text = f"ChangeSet [{made.id}] cannot be executed in its current status of [FAILED]"
            raise ServiceError("InvalidChangeSetStatus", text)
        stack.change_sets.clear()
        stack.carried_out_by = token
        if stack.template is None:
            self.work.create(stack, made)
        else:
            self.work.update(stack, made)
        return {}

    def delete_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such change set."""
        stack, made = self._change_set(params)
        del stack.change_sets[made.name]
        return {}

    def _change_set(self, params: Params) -> tuple[Stack, ChangeSet]:
        name = params["ChangeSetName"]
        stacks = [self._named(params["StackName"])] if "StackName" in params else list(self.stacks.values())
        for stack in stacks:
            for made in stack.change_sets.values():
                if name in (made.name, made.id):
                    return stack, made
        raise ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    # stacks

    def describe_stacks(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All that are alive, or one by name or id; a deleted one by its id alone. Raises ServiceError: no such."""
        if "StackName" in params:
            return {"Stacks": [_shown(self._named(params["StackName"]))]}
        return {"Stacks": [_shown(stack) for stack in self.stacks.values() if stack.status != "DELETE_COMPLETE"]}

    def describe_stack_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Newest first, all in one page. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"StackEvents": [_event(stack, one) for one in reversed(stack.events)]}

    def describe_stack_resources(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """In the order of making. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"StackResources": [_resource(stack, one) for one in stack.resources.values()]}

    def get_template(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """As it was given. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"TemplateBody": stack.template.text if stack.template else "{}"}

    def validate_template(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: it cannot be carried out here, or nowhere."""
        if "TemplateBody" not in params:
            raise invalid("Either Template URL or Template Body must be specified.")
        template = self._read(params["TemplateBody"], unfilled(params["TemplateBody"]), "validated", "validated")
        has_role = any(one.kind == _ROLE for one in template.resources.values())
        declared = [_declared(name, one) for name, one in template.declared.items()]
        shown = {"Parameters": declared, "Capabilities": ["CAPABILITY_IAM"] if has_role else []}
        return shown | ({"Description": template.description} if template.description else {})

    def delete_stack(self, params: Params, _request: HttpRequest) -> None:
        """Begin to delete; nothing happens where there is no such stack, as on AWS."""
        stack = self._alive(params["StackName"])
        if stack is not None and not stack.is_busy:
            self.work.delete(stack)

    def _alive(self, name: str) -> Stack | None:
        found = [one for one in self.stacks.values() if name in (one.name, one.id) and one.status != "DELETE_COMPLETE"]
        return found[0] if found else None

    def _named(self, name: str) -> Stack:
        stack = self._alive(name) or self.stacks.get(name)
        if stack is None:
            raise invalid(f"Stack with id {name} does not exist")
        return stack


def _change(action: str, name: str, kind: str, physical: str, replacement: str) -> dict[str, Any]:
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": []}
    optional = {"PhysicalResourceId": physical, "Replacement": replacement}
    return {"Type": "Resource", "ResourceChange": change | {key: value for key, value in optional.items() if value}}


def _declared(name: str, one: Params) -> dict[str, Any]:
    optional = {"DefaultValue": one.get("Default"), "Description": one.get("Description")}
    shown = {key: str(value) for key, value in optional.items() if value is not None}
    return {"ParameterKey": name, "NoEcho": is_secret(one)} | shown


def _values(template: Template) -> list[dict[str, str]]:
    """The parameters that a stack was made with; of a secret one stars, as on AWS."""
    return [
        {"ParameterKey": name, "ParameterValue": "****" if is_secret(template.declared[name]) else value}
        for name, value in template.parameters.items()
    ]


def _shown(stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "DisableRollback": False,
        "NotificationARNs": [],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    values = _values(stack.template) if stack.template else []
    optional = {"StackStatusReason": stack.reason, "LastUpdatedTime": stack.updated, "Parameters": values}
    return shown | {key: value for key, value in optional.items() if value}


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    shown = {
        "StackId": stack.id,
        "EventId": event.id,
        "StackName": stack.name,
        "LogicalResourceId": event.name,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.kind,
        "Timestamp": event.at,
        "ResourceStatus": event.status,
    }
    return shown | ({"ResourceStatusReason": event.reason} if event.reason else {})


def _resource(stack: Stack, made: Made) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": made.described.name,
        "ResourceType": made.described.kind,
        "Timestamp": made.at,
        "ResourceStatus": made.status,
    }
    optional = {"PhysicalResourceId": made.physical.id if made.physical else "", "ResourceStatusReason": made.reason}
    return shown | {key: value for key, value in optional.items() if value}
