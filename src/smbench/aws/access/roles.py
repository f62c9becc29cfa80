"""An IAM role as a person names it: by its ARN, which is looked at before anything is asked of AWS."""

import re

from smbench.errors import UsageError

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")


def check_role(role: str) -> None:
    """Raises UsageError: it is not the ARN of a role."""
    if not _ROLE.fullmatch(role):
        raise UsageError(f"--role {role} is not the ARN of a role", "it looks like arn:aws:iam::123456789012:role/NAME")
