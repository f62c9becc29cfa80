"""What a check found, and the verdict of several checks: of a run, of an account, or of anything else."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
    """Whether what was checked can be relied on."""

    VALID = "valid"
    UNKNOWN = "unknown"
    INVALID = "invalid"


_BADNESS = (Verdict.VALID, Verdict.UNKNOWN, Verdict.INVALID)


class Finding(BaseModel):
    """What one check found. `advice` is empty when there is nothing to do."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    expected: str
    seen: str
    advice: str = ""


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst; unknown when nothing was checked."""
    return max((finding.verdict for finding in findings), key=_BADNESS.index, default=Verdict.UNKNOWN)
