"""Another tool's status, success and error columns: translated to the ledger's outcomes.

A time-out is no end: the client gave up, and all that is known is that the request took longer. It is kept, open, as
old as it was then (right-censored). So is one of a gateway, which gave up in the client's place. Any other HTTP answer
from 400 on is a refusal; no answer at all is a transport error.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

from smbench.records import Outcome

_CODE = re.compile(r"(?:HTTP(?:/\d(?:\.\d)?)?\s+)?([1-5]\d\d)(?:\.0+)?(?:\s.*)?", re.DOTALL | re.IGNORECASE)
_TIMED_OUT = re.compile(r"time[ds]?[ _-]?out|deadline ?exceeded|etimedout", re.IGNORECASE)
_GAVE_UP = {408, 460, 499, 504, 524, 598, 599}  # a gateway's time-out, or its note that the client did not wait
_MAY_SAY_WHY = {424, *range(500, 600)}  # SageMaker's ModelError is 424; another 4xx may name a bad `timeout` argument
_GOOD = {"ok", "success", "succeeded", "successful", "complete", "completed", "true", "pass", "passed", "yes", "done"}
_GOOD |= {"unset", "status_code_unset", "status_code_ok"}  # OpenTelemetry's: nobody said that it failed
_BAD = {"false", "fail", "failed", "failure", "error", "errored", "ko", "no", "exception", "aborted"}
_BAD |= {"status_code_error"}
_REFUSED = {"rejected", "throttled", "refused"}
_OPEN = {"pending", "running", "queued", "inprogress", "in_progress", "in progress", "lost"}
_NO_CODE = {"0", "0.0", "-1", "000"}
_NOTHING = {
    "",
    "-",
    "0",
    "none",
    "null",
    "nil",
    "nan",
    "n/a",
    "no",
    "false",
    "ok",
    "success",
    "[]",
    "{}",
}  # as an error: there was none


@dataclass(frozen=True, slots=True)
class End:
    """How a row ended, with the columns of the ledger that follow from it."""

    outcome: Outcome
    status_code: int | None = None
    error: str | None = None
    is_timeout: bool = False


def end_of(
    status: str | None,
    success: str | None,
    error: str | None,
    good: frozenset[str] = frozenset(),
    *,
    is_always_said: bool = False,
) -> End:
    """The end of a row that has one.

    Args:
        status: An HTTP status, or a word; None: the file has no such column, or the cell is empty.
        success: Whether it went well, in the words of the file.
        error: What went wrong; None where nothing did.
        good: Statuses that mean completed, beside those that are known; an empty one: an empty cell does.
        is_always_said: Other rows say it also where they completed, so that an empty cell is no good news.
    """
    code = int(match[1]) if status is not None and (match := _CODE.fullmatch(status)) else None
    error = None if error is not None and _is_nothing(error, code) else error
    went_well = _meaning(success)
    if (status or "") in good:
        return End(Outcome.COMPLETED, code)
    words = " ".join(text for text in (status, error) if text)
    if code is not None and code >= 400:
        if code in _GAVE_UP or (code in _MAY_SAY_WHY and _TIMED_OUT.search(words)):
            return End(Outcome.PENDING, None, error or f"HTTP {code}", is_timeout=True)
        return End(Outcome.REJECTED, code, error or f"HTTP {code}")
    if (code is None or went_well is None) and _TIMED_OUT.search(words):
        return End(Outcome.PENDING, None, error or status, is_timeout=True)
    has_failed = went_well is False or (went_well is None and error is not None)  # an answer that broke off, say
    if code is not None:
        if has_failed:
            return End(Outcome.FAILED, code, error or "not successful, by the file's own word")
        return End(Outcome.COMPLETED, code)
    if status is None and went_well is None and error is None and is_always_said:
        return End(Outcome.UNKNOWN_END, None, "the file does not say how it ended")
    if status is None or status in _NO_CODE:
        return _without_status(status, went_well, error)
    end = _of_word(status, error)
    if end.outcome is Outcome.COMPLETED and has_failed:
        return End(Outcome.FAILED, None, error or "not successful, by the file's own word")
    return end


def _is_nothing(error: str, code: int | None) -> bool:
    """Whether a text means that there was no error; HTTP's own phrase beside its code is none either."""
    word = error.strip().lower()
    phrases = [one.phrase.lower() for one in HTTPStatus if one == code and one < HTTPStatus.BAD_REQUEST]
    return word in _NOTHING or word in phrases


def _without_status(status: str | None, went_well: bool | None, error: str | None) -> End:
    if went_well:
        return End(Outcome.COMPLETED)
    if status is not None:
        return End(Outcome.TRANSPORT_ERROR, None, error or "no answer came")
    if went_well is not None:
        return End(Outcome.FAILED, None, error or "failed")
    return End(Outcome.COMPLETED) if error is None else End(Outcome.FAILED, None, error)


def _of_word(status: str, error: str | None) -> End:
    word = status.lower()
    if word in _GOOD:
        return End(Outcome.COMPLETED)
    if word in _BAD:
        return End(Outcome.FAILED, None, error or status)
    if word in _REFUSED:
        return End(Outcome.REJECTED, None, error or status)
    if word in _OPEN:
        return End(Outcome.PENDING, None, error)
    if word == Outcome.EXPIRED.value:
        return End(Outcome.EXPIRED, None, error)
    if "connection" in word or word.startswith("non http response code"):
        return End(Outcome.TRANSPORT_ERROR, None, error or status)
    return End(Outcome.UNKNOWN_END, None, error or status)


def _meaning(success: str | None) -> bool | None:
    word = (success or "").lower()
    if word in _GOOD or word in ("1", "1.0"):
        return True
    return False if word in _BAD or word in ("0", "0.0") else None
