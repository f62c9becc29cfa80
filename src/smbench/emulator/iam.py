"""The emulated IAM: roles with their policies, kept and shown; nothing is ever allowed or refused by them."""

from typing import Any
from urllib.parse import quote

import orjson

from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site

_PAGE = 100
_SESSION_S = 3600  # MaxSessionDuration's default


class Iam:
    """Operations on roles. A role that has policies cannot be deleted, as on AWS."""

    service = "iam"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.roles: dict[str, dict[str, Any]] = {}
        self.attached: dict[str, list[str]] = {}  # role: ARNs of managed policies
        self.policies: dict[str, dict[str, str]] = {}  # role: its policies' documents by name
        self.operations: dict[str, Operation] = {
            "CreateRole": self.create_role,
            "GetRole": self.get_role,
            "DeleteRole": self.delete_role,
            "PutRolePolicy": self.put_role_policy,
            "GetRolePolicy": self.get_role_policy,
            "ListRolePolicies": self.list_role_policies,
            "DeleteRolePolicy": self.delete_role_policy,
            "ListRoles": self.list_roles,
            "AttachRolePolicy": self.attach_role_policy,
            "DetachRolePolicy": self.detach_role_policy,
            "ListAttachedRolePolicies": self.list_attached_role_policies,
        }

    def create_role(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: the name is taken, or the trust policy is no JSON object."""
        name, document = params["RoleName"], params["AssumeRolePolicyDocument"]
        if name in self.roles:
            raise ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
        _check(document)
        self.roles[name] = {
            "Path": params.get("Path", "/"),
            "RoleName": name,
            "RoleId": f"AROA{self.site.new_id().replace('-', '')[:17].upper()}",
            "Arn": f"arn:aws:iam::{self.site.account}:role{params.get('Path', '/')}{name}",
            "CreateDate": self.site.now(),
            "AssumeRolePolicyDocument": quote(document),
            "MaxSessionDuration": params.get("MaxSessionDuration", _SESSION_S),
        } | {key: params[key] for key in ("Description", "Tags") if key in params}
        self.policies[name], self.attached[name] = {}, []
        return {"Role": self.roles[name]}

    def get_role(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such role."""
        return {"Role": self._role(params)}

    def delete_role(self, params: Params, _request: HttpRequest) -> None:
        """Raises ServiceError: no such role, or it still has policies."""
        name = self._role(params)["RoleName"]
        if self.policies[name]:
            raise ServiceError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
        if self.attached[name]:
            raise ServiceError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        del self.roles[name], self.policies[name], self.attached[name]

    def put_role_policy(self, params: Params, _request: HttpRequest) -> None:
        """Make or replace. Raises ServiceError: no such role, or the policy is no JSON object."""
        name = self._role(params)["RoleName"]
        _check(params["PolicyDocument"])
        self.policies[name][params["PolicyName"]] = params["PolicyDocument"]

    def get_role_policy(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Its document is percent-encoded, as IAM writes it. Raises ServiceError: no such role or policy."""
        name, policy = self._policy(params)
        document = quote(self.policies[name][policy])
        return {"RoleName": name, "PolicyName": policy, "PolicyDocument": document}

    def list_role_policies(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Sorted, a page at a time. Raises ServiceError: no such role, a marker that was never given."""
        return _paged("PolicyNames", sorted(self.policies[self._role(params)["RoleName"]]), params)

    def list_roles(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Sorted by name, a page at a time, without tags, as on AWS. Raises ServiceError: a marker never given."""
        prefix = params.get("PathPrefix", "/")
        found = [role for _, role in sorted(self.roles.items()) if role["Path"].startswith(prefix)]
        return _paged("Roles", [{key: role[key] for key in role if key != "Tags"} for role in found], params)

    def attach_role_policy(self, params: Params, _request: HttpRequest) -> None:
        """Once or again. Raises ServiceError: no such role. Whether there is such a policy is not looked at."""
        attached, arn = self.attached[self._role(params)["RoleName"]], params["PolicyArn"]
        if arn not in attached:
            attached.append(arn)

    def detach_role_policy(self, params: Params, _request: HttpRequest) -> None:
        """Raises ServiceError: no such role, or it has no such policy."""
        attached, arn = self.attached[self._role(params)["RoleName"]], params["PolicyArn"]
        if arn not in attached:
            raise ServiceError("NoSuchEntity", f"Policy {arn} was not found.", 404)
        attached.remove(arn)

    def list_attached_role_policies(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """A page at a time. Raises ServiceError: no such role, a marker that was never given."""
        prefix = params.get("PathPrefix", "/")
        arns = [arn for arn in self.attached[self._role(params)["RoleName"]] if f":policy{prefix}" in arn]
        shown = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]
        return _paged("AttachedPolicies", shown, params)

    def delete_role_policy(self, params: Params, _request: HttpRequest) -> None:
        """Raises ServiceError: no such role or policy."""
        name, policy = self._policy(params)
        del self.policies[name][policy]

    def _role(self, params: Params) -> dict[str, Any]:
        name = params["RoleName"]
        if name not in self.roles:
            raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
        return self.roles[name]

    def _policy(self, params: Params) -> tuple[str, str]:
        name, policy = self._role(params)["RoleName"], params["PolicyName"]
        if policy not in self.policies[name]:
            raise ServiceError("NoSuchEntity", f"The role policy with name {policy} cannot be found.", 404)
        return name, policy


def _paged(name: str, items: list[Any], params: Params) -> dict[str, Any]:
    try:
        these, marker = page(items, params.get("Marker"), params.get("MaxItems", _PAGE))
    except TokenError:
        raise ServiceError("ValidationError", f"Invalid Marker: {params['Marker']}") from None
    more = {} if marker is None else {"Marker": marker}
    return {name: these, "IsTruncated": marker is not None, **more}


def _check(document: str) -> None:
    try:
        is_object = isinstance(orjson.loads(document), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        raise ServiceError("MalformedPolicyDocument", "This policy contains invalid Json")
