"""A job of SageMaker's made once, whatever becomes of the answer: its name is its request's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of


@contextmanager
def made_once() -> Iterator[None]:
    """Around the call that makes a job whose name nobody else can have chosen: a name that is taken was taken by an
    earlier try of this very call, whose answer was lost."""
    try:
        yield
    except ClientError as error:
        if code_of(error) != "ResourceInUse":
            raise
