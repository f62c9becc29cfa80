"""What IAM policies are made of: places in an account, statements about them, and the document."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

Statement = dict[str, Any]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where resources are: the partition is `aws`, or that of a separate set of regions such as `aws-cn`."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> Self:
        """Where the thing with this ARN is."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)

    def arn(self, service: str, name: str, *, account: str = "") -> str:
        """An ARN here, of this account unless another is named."""
        return f"arn:{self.partition}:{service}:{self.region}:{account or self.account}:{name}"

    def s3(self, name: str) -> str:
        """The ARN of a bucket, or of `bucket/key`: those have neither region nor account."""
        return f"arn:{self.partition}:s3:::{name}"

    def role(self, name: str) -> str:
        """The ARN of an IAM role: it has no region."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"


def statement(sid: str, *actions: str, on: str | Iterable[str]) -> Statement:
    """What may be done, and to what; `on` is one ARN or several, `*` for actions that IAM cannot narrow down."""
    resources: str | list[str] = on if isinstance(on, str) else list(dict.fromkeys(on))
    if isinstance(resources, list) and len(resources) == 1:
        (resources,) = resources
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def document(statements: Iterable[Statement]) -> Document:
    """The policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def merged(statements: Iterable[Statement]) -> list[Statement]:
    """Each resource once under a name, with all that may be done to it; a name that comes again is numbered."""
    actions: dict[tuple[str, str], set[str]] = {}
    first: dict[tuple[str, str], Statement] = {}
    for one in statements:
        key = (one["Sid"], str(one["Resource"]))
        first.setdefault(key, one)
        actions.setdefault(key, set()).update(one["Action"])
    seen: dict[str, int] = {}
    made = []
    for key, one in first.items():
        n = seen[one["Sid"]] = seen.get(one["Sid"], 0) + 1
        made.append({**one, "Sid": one["Sid"] + (str(n) if n > 1 else ""), "Action": sorted(actions[key])})
    return made
