"""What a kind of resource is, and what all kinds share: the services they are made in, and their parameters, read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from smbench.emulator.cloudformation.intrinsics import text_of
from smbench.emulator.iam import Iam
from smbench.emulator.messaging.sns import Sns
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.monitoring.alarm_operations import Alarms
from smbench.emulator.monitoring.autoscaling import AutoScaling
from smbench.emulator.protocol import codecs
from smbench.emulator.protocol.codecs import JSON_11, JsonProtocol, Params, beyond
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.control_plane import SageMaker
from smbench.emulator.ssm import Ssm

Tags = Mapping[str, str]
INSIDE = HttpRequest("POST", "/", "/", "/", {}, {}, b"")  # operations that are called from inside do not look at it


@dataclass(frozen=True, slots=True)
class Account:
    """The services that resources are made in."""

    s3: S3
    sqs: Sqs
    sns: Sns
    iam: Iam
    sagemaker: SageMaker
    scaling: AutoScaling
    alarms: Alarms
    ssm: Ssm
    lent: set[tuple[str, str]] = field(default_factory=set)  # role and inline policy, of resources that are policies
    scheduled: dict[str, set[str]] = field(default_factory=dict)  # by resource id, actions of targets that were made


@dataclass(frozen=True, slots=True)
class Physical:
    """A resource that was made: what Ref gives, and what Fn::GetAtt gives."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """What CloudFormation calls for a resource, as IAM names it: its caller must be allowed to."""

    make: str
    remove: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource.

    Args:
        properties: What can be given at the top.
        make: Given account, a name that is free, checked properties, and tags.
        remove: Given what was made.
        change: In place, and the tags alone; None where every change is a replacement.
        replaced_by: Properties whose change is a replacement although `change` is there.
        trouble: Given what is being made or changed: None while it goes on, "" when it is there, else why not.
    """

    properties: frozenset[str]
    make: Callable[[Account, str, Params, Tags], Physical]
    remove: Callable[[Account, Physical], None]
    change: Callable[[Account, Physical, Params, Tags], None] | None = None
    replaced_by: frozenset[str] = frozenset()
    trouble: Callable[[Account, Physical], str | None] = lambda _account, _physical: ""


def short(name: str, most: int) -> str:
    """A name that was put together, with its middle left out where it is too long; its end makes it one of a kind."""
    return name if len(name) <= most else f"{name[: most - 9]}{name[-9:]}"


def checked(dialect: codecs.Dialect, operation: str, params: Params) -> Params:
    """Parameters as a caller's would be read; raises ServiceError for what does not fit, and for members unknown."""
    protocol = JsonProtocol(dialect, JSON_11)
    shapes = protocol.shapes(operation)
    shape = shapes.model.input_shape
    assert shape is not None, "what makes a resource takes parameters"
    read = protocol.checked(shapes, coerced(shape, params))
    if dropped := _dropped(params, read):
        raise beyond(f"know the property {dropped}")
    return read


def coerced(shape: Shape, value: Any) -> Any:
    """A value of a template in the type that the call wants: `"2"` for 2 and the like, as CloudFormation does.

    What cannot be read as that type stays as it is: the call says what is wrong with it.
    """
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members
        return {key: coerced(members[key], item) if key in members else item for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [coerced(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: coerced(shape.value, item) for key, item in value.items()}
    if isinstance(value, str) and shape.type_name == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if isinstance(value, str) and shape.type_name in ("integer", "long", "float", "double"):
        try:
            return float(value) if shape.type_name in ("float", "double") else int(value)
        except ValueError:
            return value
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return text_of(value)
    return value


def _dropped(given: Any, read: Any, path: str = "") -> str:
    """The path of the first member that reading left out; empty where all is there."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            below = f"{path}.{key}" if path else key
            found = below if key not in read else _dropped(value, read[key], below)
            if found:
                return found
    if isinstance(given, list) and isinstance(read, list):
        return next(filter(None, (_dropped(one, other, path) for one, other in zip(given, read, strict=True))), "")
    return ""
