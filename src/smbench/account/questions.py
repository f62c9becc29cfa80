"""A question to an account, and the finding that its answer becomes: sound, wrong, or not known; never a traceback."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from smbench.errors import TargetError
from smbench.findings import Finding, Verdict

ALLOW = "have it allowed for this identity: docs/your-endpoint.md lists what a run needs"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. `advice` is empty where there is nothing to do."""

    what: str
    verdict: Verdict = Verdict.VALID
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Args:
        ask: May raise TargetError, whose words are then what was seen.
        is_optional: A run can do without: a refusal leaves the answer unknown, and nothing is wrong.
    """

    name: str
    expected: str
    ask: Callable[[], Awaitable[Seen]]
    is_optional: bool = False


async def answered(question: Question) -> Finding:
    """Ask it."""
    try:
        seen = await question.ask()
    except TargetError as error:
        seen = Seen(error.message, Verdict.UNKNOWN if question.is_optional else Verdict.INVALID, error.advice)
    return Finding(
        name=question.name, verdict=seen.verdict, expected=question.expected, seen=seen.what, advice=seen.advice
    )
