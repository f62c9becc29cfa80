"""The emulated Parameter Store of Systems Manager: parameters of plain text, which templates may refer to."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.site import Site
from smbench.emulator.tags import tags_of

_NAME = re.compile(r"/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+){0,14}")
_VALUE_MAX = {"Standard": 4096, "Advanced": 8192}
_LIST = "StringList"


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a parameter; only the latest is kept."""

    name: str
    kind: str  # String or StringList
    value: str
    version: int
    modified: datetime
    tier: str
    tags: dict[str, str]


class Ssm:
    """PutParameter, GetParameter, GetParameters, GetParametersByPath, DeleteParameter and DeleteParameters."""

    service = "ssm"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stored: dict[str, Stored] = {}
        self.operations: dict[str, Operation] = {
            "PutParameter": self.put_parameter,
            "GetParameter": self._get_parameter,
            "GetParameters": self._get_parameters,
            "GetParametersByPath": self._get_parameters_by_path,
            "DeleteParameter": self.delete_parameter,
            "DeleteParameters": self._delete_parameters,
        }

    # for the other services

    def value(self, name: str) -> str | None:
        """What a parameter holds; None: there is no such parameter, or no such version of it."""
        try:
            return self._named(name).value
        except ServiceError:
            return None

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every parameter's tags, by its ARN."""
        return {self._arn(one.name): one.tags for one in self._stored.values()}

    def tags_of(self, name: str) -> dict[str, str]:
        """The tags of a parameter that there is."""
        return self._stored[name].tags

    # operations

    def put_parameter(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Create one, or with `Overwrite` its next version.

        Raises:
            ServiceError: it is there already, a name or value that Parameter Store refuses, or one in secret (501).
        """
        name, tier = params["Name"], params.get("Tier", "Standard")
        before = self._stored.get(name)
        kind = params.get("Type", before.kind if before else "")
        _check(name, kind, tier, params)
        if before is not None and not params.get("Overwrite"):
            text = "The parameter already exists. To overwrite this value, set the overwrite option in the request to"
            raise ServiceError("ParameterAlreadyExists", f"{text} true.")
        if before is not None and "Tags" in params:
            text = "tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite"
            raise _invalid(f"Invalid request: {text} flag.")
        version = before.version + 1 if before else 1
        tags = before.tags if before else tags_of(params.get("Tags", []))
        self._stored[name] = Stored(name, kind, params["Value"], version, self._site.now(), tier, tags)
        return {"Version": version, "Tier": tier}

    def _get_parameter(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        return {"Parameter": self._shown(params["Name"])}

    def _get_parameters(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        found, missing = list[dict[str, Any]](), list[str]()
        for name in params["Names"]:
            try:
                found.append(self._shown(name))
            except ServiceError:
                missing.append(name)
        return {"Parameters": found, "InvalidParameters": missing}

    def _get_parameters_by_path(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        if params.get("ParameterFilters"):
            raise beyond("filter the parameters of a path")
        above = params["Path"].rstrip("/") + "/"
        if not above.startswith("/"):
            raise _invalid("The parameter path must be prefixed with a forward slash")
        names = [
            name
            for name in sorted(self._stored)
            if name.startswith(above) and (params.get("Recursive") or "/" not in name.removeprefix(above))
        ]
        most, after = params.get("MaxResults", 10), params.get("NextToken", "")
        rest = [name for name in names if name > after]
        page: dict[str, Any] = {"Parameters": [self._shown(name) for name in rest[:most]]}
        return page | ({"NextToken": rest[most - 1]} if len(rest) > most else {})

    def delete_parameter(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: there is no such parameter."""
        if self._stored.pop(params["Name"], None) is None:
            raise ServiceError("ParameterNotFound", "")
        return {}

    def _delete_parameters(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        found = [name for name in params["Names"] if self._stored.pop(name, None) is not None]
        return {"DeletedParameters": found, "InvalidParameters": [n for n in params["Names"] if n not in found]}

    def _named(self, asked: str) -> Stored:
        """By its name, its ARN, or either with a version. Raises ServiceError: there is none such."""
        name, _, version = asked.removeprefix(self._arn("")).partition(":")
        found = self._stored.get(name) or self._stored.get(f"/{name}" if asked.startswith("arn:") else name)
        if found is None:
            raise ServiceError("ParameterNotFound", "")
        if version and version != str(found.version):
            if version.isdigit() and 0 < int(version) < found.version:
                raise beyond("keep the former versions of a parameter")
            text = f"Systems Manager could not find version {version} of {name}. Verify the version and try again."
            raise ServiceError("ParameterVersionNotFound", text)
        return found

    def _shown(self, asked: str) -> dict[str, Any]:
        one = self._named(asked)
        return {
            "Name": one.name,
            "Type": one.kind,
            "Value": one.value,
            "Version": one.version,
            "LastModifiedDate": one.modified,
            "ARN": self._arn(one.name),
            "DataType": "text",
        }

    def _arn(self, name: str) -> str:
        return self._site.arn("ssm", f"parameter/{name.removeprefix('/')}")


def _check(name: str, kind: str, tier: str, params: Params) -> None:
    """Raises ServiceError: what Parameter Store refuses, or what is not emulated (501)."""
    if not _NAME.fullmatch(name) or re.match(r"/?(aws|ssm)", name, re.IGNORECASE):
        text = 'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive), and may only consist of'
        raise _invalid(f"{text} symbols and letters such as a-zA-Z0-9_.-/")
    if kind == "SecureString":
        raise beyond("encrypt parameters (SecureString)")
    if kind not in ("String", _LIST):
        raise _invalid("A parameter type is required when you create a parameter.")
    for unheeded in ("Policies", "AllowedPattern"):
        if params.get(unheeded):
            raise beyond(f"heed {unheeded} of a parameter")
    if params.get("DataType", "text") != "text":
        raise beyond(f"hold parameters of data type {params['DataType']}")
    if tier not in _VALUE_MAX:
        raise beyond(f"choose a tier for a parameter ({tier})")
    if not params["Value"] or len(params["Value"].encode()) > _VALUE_MAX[tier]:
        raise _invalid(f"{tier} tier parameters support a parameter value of 1 to {_VALUE_MAX[tier]} characters.")


def _invalid(text: str) -> ServiceError:
    return ServiceError("ValidationException", text)
