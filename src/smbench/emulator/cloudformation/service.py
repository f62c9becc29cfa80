"""The emulated CloudFormation: change sets, stacks and their events, for the types of resources that are emulated."""

from typing import Any
from urllib.parse import unquote

from smbench.emulator.cloudformation import shown
from smbench.emulator.cloudformation.intrinsics import invalid
from smbench.emulator.cloudformation.kind import Account
from smbench.emulator.cloudformation.stack import ChangeSet, Made, Stack, changes_of
from smbench.emulator.cloudformation.stacks import Work
from smbench.emulator.cloudformation.templates import Template, pseudo_parameters, read_template
from smbench.emulator.faults import Faults
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.s3.locations import bucket_and_key
from smbench.emulator.site import Site
from smbench.emulator.tags import tags_of

_BODY_MAX_BYTES, _TEMPLATE_MAX_BYTES = 51_200, 1_048_576  # in the call, and in S3
_NAMED_IAM, _AUTO_EXPAND = "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"
_UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_NO_UPDATES = "No updates are to be performed."


class CloudFormation:
    """Operations on stacks. A template that needs what is not emulated is refused by resource type and property.

    Args:
        faults: Which of the calls that it makes for its caller the caller's identity is denied.
    """

    service = "cloudformation"

    def __init__(self, site: Site, account: Account, faults: Faults) -> None:
        self.site = site
        self.stacks: dict[str, Stack] = {}  # by id, deleted ones too
        self.work = Work(site, account, faults, self.stacks)
        self.operations: dict[str, Operation] = {
            "CreateStack": self.create_stack,
            "UpdateStack": self.update_stack,
            "CreateChangeSet": self.create_change_set,
            "DescribeChangeSet": self.describe_change_set,
            "ListChangeSets": self.list_change_sets,
            "ExecuteChangeSet": self.execute_change_set,
            "DeleteChangeSet": self.delete_change_set,
            "DescribeStacks": self.describe_stacks,
            "ListStacks": self.list_stacks,
            "DescribeStackEvents": self.describe_stack_events,
            "DescribeStackResource": self.describe_stack_resource,
            "DescribeStackResources": self.describe_stack_resources,
            "ListStackResources": self.list_stack_resources,
            "ListExports": self.list_exports,
            "ListImports": self.list_imports,
            "DeleteStack": self.delete_stack,
            "UpdateTerminationProtection": self.update_termination_protection,
            "GetTemplate": self.get_template,
            "GetTemplateSummary": self.get_template_summary,
            "ValidateTemplate": self.validate_template,
        }

    # without a change set

    def create_stack(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Begin to make one. Raises ServiceError: as `create_change_set`."""
        on_failure = params.get("OnFailure", "")
        if on_failure and "DisableRollback" in params:
            raise invalid("You can specify either DisableRollback or OnFailure, but not both")
        token = params.get("ClientRequestToken", "")
        there = self._alive(params["StackName"])
        if there is not None and not (token and there.carried_out_by == token):
            raise ServiceError("AlreadyExistsException", f"Stack [{params['StackName']}] already exists")
        if there is not None:
            return {"StackId": there.id}
        stack, made = self._changes(params, params["StackName"], None)
        stack.keeps_failed = params.get("DisableRollback", False) or on_failure == "DO_NOTHING"
        stack.vanishes = on_failure == "DELETE"
        stack.is_protected = params.get("EnableTerminationProtection", False)
        stack.carried_out_by = token
        self.stacks[stack.id] = stack
        self.work.create(stack, made)
        return {"StackId": stack.id}

    def update_stack(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Begin to change one. Raises ServiceError: as `create_change_set`, and where nothing would change."""
        token = params.get("ClientRequestToken", "")
        stack = self._alive(params["StackName"])
        if stack is not None and token and stack.carried_out_by == token:
            return {"StackId": stack.id}
        if stack is None or stack.status not in _UPDATABLE:
            raise self._not_updatable(params["StackName"], stack)
        _, made = self._changes(params, stack.name, stack)
        if made.is_empty:
            raise invalid(_NO_UPDATES)
        stack.change_sets.clear()
        stack.carried_out_by = token
        self.work.update(stack, made)
        return {"StackId": stack.id}

    # change sets

    def create_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Of a new stack or of one that is there.

        Raises:
            ServiceError: the template cannot be carried out, a capability is missing, or the stack is not as wanted.
        """
        name, kind = params["StackName"], params.get("ChangeSetType", "UPDATE")
        stack = self._alive(name)
        if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise ServiceError("AlreadyExistsException", f"Stack [{name}] already exists")
        if kind == "UPDATE" and (stack is None or stack.status not in _UPDATABLE):
            raise self._not_updatable(name, stack)
        if kind not in ("CREATE", "UPDATE"):
            raise beyond(f"make change sets of type {kind}")
        stack, made = self._changes(params, name, stack)
        if (there := stack.change_sets.get(made.name)) is not None:
            if made.token and there.token == made.token:
                return {"Id": there.id, "StackId": stack.id}
            raise ServiceError("AlreadyExistsException", f"ChangeSet {made.name} already exists")
        self.stacks[stack.id] = stack
        stack.change_sets[made.name] = made
        return {"Id": made.id, "StackId": stack.id}

    def _changes(self, params: Params, name: str, stack: Stack | None) -> tuple[Stack, ChangeSet]:
        """What a call would change; of a new stack where there is none, which is not kept yet."""
        if stack is None:
            stack_id = self.site.arn("cloudformation", f"stack/{name}/{self.site.new_id()}")
            stack = Stack(name, stack_id, self.site.now())
        before = stack.template
        template = self._checked_template(params, stack)
        tags = dict(stack.tags)  # a call that does not speak of tags leaves them
        if "Tags" in params:
            tags = tags_of(params["Tags"])
        set_name = params.get("ChangeSetName", "direct")
        made = ChangeSet(
            self.site.arn("cloudformation", f"changeSet/{set_name}/{self.site.new_id()}"),
            set_name,
            template,
            tags,
            changes_of(stack, template, tags),
            self.site.now(),
            params.get("ClientToken", ""),
            tuple(params.get("Capabilities", ())),
            params.get("Description", ""),
            has_other_outputs=before is not None and before.outputs != template.outputs,
        )
        return stack, made

    def _not_updatable(self, name: str, stack: Stack | None) -> ServiceError:
        if stack is None:
            return invalid(f"Stack [{name}] does not exist")
        return invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def _checked_template(self, params: Params, stack: Stack) -> Template:
        text = self._text(params, stack.template)
        template = self._read(text, _given(params, stack), stack.name, stack.id)
        needed, acknowledged = shown.capabilities(template), params.get("Capabilities", [])
        if template.transforms and _AUTO_EXPAND not in acknowledged and "ChangeSetName" not in params:
            raise ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{_AUTO_EXPAND}]")
        if needed and not {*needed, _NAMED_IAM} & {*acknowledged}:
            text = f"Requires capabilities : [{', '.join(needed)}]"
            raise ServiceError("InsufficientCapabilitiesException", text)
        return template

    def _text(self, params: Params, before: Template | None) -> str:
        """The template of a call: in it, in S3, or the one that the stack has."""
        body, url = params.get("TemplateBody", ""), params.get("TemplateURL", "")
        if params.get("UsePreviousTemplate"):
            if body or url:
                raise invalid("Only one of Template URL, Template Body and UsePreviousTemplate may be specified.")
            if before is None:
                raise invalid("There is no previous template to use.")
            return before.text
        if bool(body) == bool(url):
            said = "Either Template URL or Template Body must be specified."
            raise invalid("Only one of Template URL or Template Body may be specified." if body else said)
        if len(body.encode()) > _BODY_MAX_BYTES:
            limit = f"Member must have length less than or equal to {_BODY_MAX_BYTES}"
            text = f"Value '{body[:100]}...' at 'templateBody' failed to satisfy constraint: {limit}"
            raise invalid(f"1 validation error detected: {text}")
        return body or self._stored_text(url)

    def _stored_text(self, url: str) -> str:
        """A template in the region's own S3."""
        location, s3 = url.partition("?")[0], self.work.account.s3
        if location.startswith(f"{self.site.url}/"):
            place = bucket_and_key(f"s3://{unquote(location.removeprefix(f'{self.site.url}/'))}")
        else:
            place = bucket_and_key(location) if location.startswith("https://") else None
        if place is None:
            raise invalid(f"S3 error: Domain name specified in {url} is not a valid S3 domain")
        body = s3.get(*place) if s3.has_bucket(place[0]) else None
        if body is None:
            raise invalid("S3 error: Access Denied\nFor more information check https://docs.aws.amazon.com/AmazonS3")
        if len(body) > _TEMPLATE_MAX_BYTES:
            raise invalid(f"Template may not exceed {_TEMPLATE_MAX_BYTES} bytes in size.")
        return body.decode("utf-8", "replace")

    def _read(self, text: str, given: dict[str, str] | None, name: str, stack_id: str) -> Template:
        pseudo = pseudo_parameters(name, stack_id, self.site)
        template = read_template(text, given, pseudo, self.work.account.ssm.value)
        for one in template.resources.values():
            self.work.kind(one)
        return template

    def describe_change_set(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Complete at once. Raises ServiceError: no such change set."""
        return shown.change_set(*self._change_set(params))

    def list_change_sets(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All in one page. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"Summaries": [shown.change_set_entry(stack, one) for one in stack.change_sets.values()]}

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
            stack.keeps_failed = params.get("DisableRollback", False)
            self.work.create(stack, made)
        elif params.get("DisableRollback"):
            raise beyond("keep what an update could not finish (DisableRollback)")
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
            return {"Stacks": [shown.whole_stack(self._named(params["StackName"]))]}
        alive = [stack for stack in self.stacks.values() if stack.status != "DELETE_COMPLETE"]
        return {"Stacks": [shown.whole_stack(stack) for stack in reversed(alive)]}

    def list_stacks(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Newest first, deleted ones too, unless statuses are asked for; all in one page."""
        wanted = params.get("StackStatusFilter", [])
        found = [stack for stack in reversed(self.stacks.values()) if not wanted or stack.status in wanted]
        return {"StackSummaries": [shown.stack_entry(stack) for stack in found]}

    def describe_stack_events(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Newest first, all in one page. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"StackEvents": [shown.event(stack, one) for one in reversed(stack.events)]}

    def describe_stack_resource(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such stack, or no such resource of it."""
        stack = self._named(params["StackName"])
        made = self._resource(stack, params["LogicalResourceId"])
        ids = {"StackName": stack.name, "StackId": stack.id}
        metadata = {"Metadata": made.described.metadata} if made.described.metadata else {}
        return {"StackResourceDetail": ids | shown.resource_entry(made) | metadata}

    def describe_stack_resources(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Of a stack in the order of making, or of the stack that a physical resource is of; or one of them.

        Raises:
            ServiceError: no such stack, or no such resource of it.
        """
        if ("StackName" in params) == ("PhysicalResourceId" in params):
            raise invalid("Exactly one of StackName and PhysicalResourceId must be specified")
        stack = self._named(params["StackName"]) if "StackName" in params else self._owner(params["PhysicalResourceId"])
        found = list(stack.resources.values())
        if "LogicalResourceId" in params:
            found = [self._resource(stack, params["LogicalResourceId"])]
        return {"StackResources": [shown.resource(stack, one) for one in found]}

    def list_stack_resources(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All in one page. Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        return {"StackResourceSummaries": [shown.resource_entry(one) for one in stack.resources.values()]}

    def list_exports(self, _params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Of all stacks, sorted, all in one page."""
        found = [
            {"ExportingStackId": stack.id, "Name": one["ExportName"], "Value": one["OutputValue"]}
            for stack in self.stacks.values()
            for one in stack.outputs
            if "ExportName" in one and stack.status != "DELETE_COMPLETE"
        ]
        return {"Exports": sorted(found, key=lambda one: one["Name"])}

    def list_imports(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """All in one page. Raises ServiceError: no stack imports it."""
        name = params["ExportName"]
        importers = self.work.importers(name)
        if not importers:
            raise invalid(f"Export '{name}' is not imported by any stack.")
        return {"Imports": sorted(importers)}

    def get_template(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """As it was given. Raises ServiceError: no such stack or change set."""
        template: Template | None
        if "ChangeSetName" in params:
            template = self._change_set(params)[1].template
        elif "StackName" in params:
            template = self._named(params["StackName"]).template
        else:
            raise invalid("StackName is required if ChangeSetName is not specified.")
        return {"TemplateBody": template.text if template else "{}", "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Of a stack, or of a template that was not used yet. Raises ServiceError: no such stack, or as for one."""
        if "StackName" in params:
            template = self._named(params["StackName"]).template
            text = template.text if template else "{}"
        else:
            text = self._text(params, None)
        return shown.summary(self._read(text, None, "summary", "summary"))

    def validate_template(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: it cannot be carried out here, or nowhere."""
        return shown.declared(self._read(self._text(params, None), None, "validated", "validated"))

    def delete_stack(self, params: Params, _request: HttpRequest) -> None:
        """Begin to delete; nothing happens where there is no such stack, as on AWS. Raises ServiceError: protected."""
        stack = self._alive(params["StackName"])
        if stack is not None and stack.is_protected:
            text = "cannot be deleted while TerminationProtection is enabled"
            raise invalid(f"Stack [{stack.name}] {text}")
        if stack is not None and not stack.is_busy and not self.work.is_import_lost(stack):
            self.work.delete(stack)

    def update_termination_protection(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such stack."""
        stack = self._named(params["StackName"])
        stack.is_protected = params["EnableTerminationProtection"]
        return {"StackId": stack.id}

    def _alive(self, name: str) -> Stack | None:
        found = [one for one in self.stacks.values() if name in (one.name, one.id) and one.status != "DELETE_COMPLETE"]
        return found[0] if found else None

    def _named(self, name: str) -> Stack:
        stack = self._alive(name) or self.stacks.get(name)
        if stack is None:
            raise invalid(f"Stack with id {name} does not exist")
        return stack

    def _owner(self, physical_id: str) -> Stack:
        for stack in self.stacks.values():
            if any(one.physical is not None and one.physical.id == physical_id for one in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")

    def _resource(self, stack: Stack, name: str) -> Made:
        if name not in stack.resources:
            raise invalid(f"Resource {name} does not exist for stack {stack.name}")
        return stack.resources[name]


def _given(params: Params, stack: Stack) -> dict[str, str]:
    """The values of parameters, those of before among them. Raises ServiceError: there is none of before."""
    before = stack.template.parameters.texts if stack.template else {}
    given: dict[str, str] = {}
    for one in params.get("Parameters", []):
        key = one["ParameterKey"]
        if not one.get("UsePreviousValue"):
            given[key] = one.get("ParameterValue", "")
        elif key in before:
            given[key] = before[key]
        else:
            text = f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key"
            raise invalid(f"{text} not in the previous template")
    return given
