"""Who may send the rest of a run: one object in S3, exchanged under a condition by each resume that sends.

Theory of operation. The object has the token of the resume that sends, and a results folder the tokens of all that
sent from it. A resume that finds another's token has a copy that knows nothing of what was sent since; it sends none.
S3 lets one writer of several replace what all of them have read (If-Match), or make what was not there (If-None-Match).
"""

import io
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import anyio
import orjson
from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, code_of, status_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.setup.uploads import input_prefix
from smbench.aws.transport.outputs import bucket_and_key
from smbench.errors import TargetError

CLAIMS = "claims"  # the folder of claims, beside the inputs
SEEN_S = 10.0  # a run that sends sees within so long that another holds the claim
_TRIES = 5
_AGAIN_S = 0.5
_REFUSED = (404, 409, 412)  # it is gone, another writes at this moment, or it is no longer what was read
_MOST_BYTES = 10_000  # a claim is a few hundred


@dataclass(frozen=True, slots=True)
class Holder:
    """Who sends the rest of a run.

    Args:
        token: Of one resume, and of no other.
        where: Machine and folder, for a person.
        since: UTC, as ISO 8601 writes it.
    """

    token: str
    where: str
    since: str

    @classmethod
    def of(cls, content: bytes) -> Self:
        """As `content` of another process; one that cannot be read has no owner."""
        try:
            found = orjson.loads(content)
            return cls(*(str(found[name]) for name in ("token", "where", "since")))
        except (ValueError, KeyError, TypeError):
            return cls("", "a program that is not known", "an unknown time")

    @property
    def content(self) -> bytes:
        """What S3 keeps of it."""
        return orjson.dumps({"token": self.token, "where": self.where, "since": self.since})


def claims_below(prefix: str | None, output_path: str | None) -> str | None:
    """The folder of claims of all runs, as `s3://bucket/folder`; None: no place in S3 is known.

    Args:
        prefix: Where the scenario has its inputs put.
        output_path: The endpoint's; inputs go beside it unless the scenario says otherwise.
    """
    if prefix is None and output_path is None:
        return None
    return f"{(prefix or input_prefix(str(output_path))).rstrip('/')}/{CLAIMS}"


class Claim:
    """The claim of one run.

    Args:
        place: `s3://bucket/key` of its object.
    """

    def __init__(self, clients: AwsClients, place: str) -> None:
        self.place, self._clients = place, clients
        named = bucket_and_key(place)
        assert named is not None, "it was made of a place in S3"
        self._name = {"Bucket": named[0], "Key": named[1]}

    async def holder(self) -> Holder | None:
        """Who sends; None: no copy of the run was continued.

        Raises:
            TargetError: it cannot be read.
        """
        found = await self._read()
        return None if found is None else found[0]

    async def lost(self, known: Collection[str]) -> Holder:
        """Return when somebody else holds the claim, at most `SEEN_S` later where S3 answers.

        Args:
            known: Tokens of the caller's own folder.
        """
        while True:
            holder = None
            with anyio.move_on_after(SEEN_S / 2), suppress(TargetError):  # it cannot be read: nothing is known
                holder = await self.holder()
            if holder is not None and holder.token not in known:
                return holder
            await anyio.sleep(SEEN_S / 2)

    async def take(self, new: Holder, known: Collection[str]) -> None:
        """Become the holder.

        Args:
            known: Tokens of before in the same folder.

        Raises:
            TargetError: another holds it, or S3 does not let us; then nothing may be sent.
        """
        with self._clients.explained(f"claim the rest of the run, by {self.place} (s3:PutObject)"):
            for number in range(1, _TRIES + 1):
                found = await self._read()
                if found is None:
                    condition = {"IfNoneMatch": "*"}
                elif found[0].token == new.token:  # it was put, and the answer was lost
                    return
                elif found[0].token in known:
                    condition = {"IfMatch": found[1]}
                else:
                    raise self._taken(found[0])
                try:
                    await self._clients.s3.put_object(**self._name, **condition, Body=io.BytesIO(new.content))
                except ClientError as error:
                    if status_of(error) not in _REFUSED or number == _TRIES:
                        raise
                except NO_ANSWER:
                    if number == _TRIES:
                        raise
                else:
                    return
                await anyio.sleep(_AGAIN_S)
        raise AssertionError("the last try returns or raises")

    def _taken(self, holder: Holder) -> TargetError:
        return TargetError(
            f"the rest of this run is sent by {holder.where}, which continued it at {holder.since}: a copy of the "
            "folder from before that does not say what was sent since",
            "continue the run in that folder, or resume this one without --continue. If that folder is lost, and it "
            f"is certain that nothing is sent from there any more, remove {self.place} and resume again: should "
            "something be sent from there after all, it is sent and paid for twice",
        )

    async def _read(self) -> tuple[Holder, str] | None:
        """The holder, and the ETag by which it is replaced."""
        with self._clients.explained(f"read {self.place} (s3:GetObject, s3:ListBucket)"):
            try:
                answer: Any = await self._clients.s3.get_object(**self._name)
            except ClientError as error:
                if code_of(error) in ("NoSuchKey", "NoSuchBucket"):
                    return None
                raise
            async with answer["Body"] as body:
                content = b"" if answer["ContentLength"] > _MOST_BYTES else await body.read()
        return Holder.of(content), answer["ETag"]
