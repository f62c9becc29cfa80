"""Goal: retries in a mode of the SDK are those that the SDK would make. Method: botocore's own code is the oracle."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import (
    ExponentialBackoff,
    RetryContext,
    RetryQuotaChecker,
    ThrottledRetryableChecker,
    TransientRetryableChecker,
)
from botocore.retryhandler import delay_exponential
from hypothesis import given
from hypothesis import strategies as st

from smbench.records import READ_TIMEOUT, Rejected, Unacknowledged
from smbench.scenario.values.request import Retry
from smbench.schedule.retrying import QUOTA, Again, Retrying

THROTTLED, ERROR = Rejected(400, "ThrottlingException"), Rejected(500, "InternalFailure")
LOST = Unacknowledged("reset")
BAD: tuple[Rejected | Unacknowledged, ...] = (THROTTLED, ERROR, LOST)


def retrying(chance: float = 0.5, **settings: Any) -> Retrying:
    made = Retrying(Retry.model_validate(settings), np.random.default_rng(0))
    made._jitter = SimpleNamespace(random=lambda: chance)  # type: ignore[assignment]
    return made


def pause_s(again: Again | None) -> float:
    assert again is not None
    return again.pause_s


@pytest.mark.parametrize("attempt", range(1, 8))
def test_pauses_are_the_sdks(attempt: int) -> None:
    standard = ExponentialBackoff(random=lambda: 0.7).delay_amount(RetryContext(attempt_number=attempt))
    assert pause_s(retrying(0.7, mode="standard", attempts=9).after(THROTTLED, attempt)) == pytest.approx(standard)
    legacy = delay_exponential(0.7, 2, attempt)  # with "rand" for the first: botocore draws it
    assert pause_s(retrying(0.7, mode="legacy", attempts=9).after(THROTTLED, attempt)) == pytest.approx(legacy)


@pytest.mark.parametrize(("mode", "tries"), [("plain", 1), ("legacy", 5), ("standard", 3)])
def test_each_mode_tries_as_often_as_the_sdk(mode: str, tries: int) -> None:
    made = retrying(mode=mode)
    assert made.after(THROTTLED, tries) is None
    assert all(made.after(THROTTLED, attempt) is not None for attempt in range(1, tries))


def test_other_keys_replace_parts_of_a_mode() -> None:
    made = retrying(mode="standard", attempts=7, backoff="4s", on=["throttle"])
    assert (made.retry.attempts, made.retry.backoff) == (7, 4.0)
    assert made.after(THROTTLED, 6) is not None
    assert made.after(LOST, 1) is None


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("status", [400, 403, 404, 424, 429, 500, 501, 502, 503, 504, 507])
@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "ValidationError", "ModelError"])
def test_what_the_sdk_tries_again_is_tried_again(mode: str, status: int, code: str) -> None:
    error = {"Error": {"Code": code}}
    context = RetryContext(attempt_number=1, parsed_response=error, http_response=SimpleNamespace(status_code=status))
    expected = any(one().is_retryable(context) for one in (TransientRetryableChecker, ThrottledRetryableChecker))
    expected |= mode == "legacy" and status == 429  # its policies, as data, have this one too
    assert (retrying(mode=mode).after(Rejected(status, code), 1) is not None) is expected


@pytest.mark.slow
@given(st.lists(st.sampled_from(["throttled", "timed out", "good", "good after a retry"]), max_size=200))
def test_the_quota_is_the_sdks(course: list[str]) -> None:
    made, quota = retrying(mode="standard"), RetryQuota()
    checker = RetryQuotaChecker(quota)
    last: Again | None = None
    for event in course * 2:
        context = RetryContext(attempt_number=1, request_context={})
        if event == "timed out":
            context.caught_exception = ReadTimeoutError(endpoint_url="x")
        if event in ("throttled", "timed out"):
            again = made.after(Unacknowledged(READ_TIMEOUT) if event == "timed out" else THROTTLED, 1)
            assert (again is not None) is checker.acquire_retry_quota(context)
            last = again or last
        else:
            paid = last if event == "good after a retry" else None
            request: Any = {} if paid is None else {"retry_quota_capacity": paid.cost}
            checker.release_retry_quota(request, http_response=SimpleNamespace(status_code=200))
            made.good(paid)
        assert made.quota == quota.available_capacity


def test_without_a_mode_there_is_no_quota() -> None:
    made = retrying(attempts=20, on=["throttle", "server_error", "transport_error"])
    assert all(made.after(one, 1) is not None for one in BAD * 200)
    assert made.quota == QUOTA


def test_mode_standard_tries_as_often_as_a_client_of_the_sdk_may_be_told_to() -> None:
    made = retrying(mode="standard", attempts=100)
    assert pause_s(made.after(THROTTLED, 99)) == 10.0  # half of 20 s
    for mode in ("plain", "legacy"):  # their pauses double without a limit
        with pytest.raises(ValueError, match="21 attempts take mode standard, whose pauses are at most 20 s"):
            Retry(mode=mode, attempts=21)
