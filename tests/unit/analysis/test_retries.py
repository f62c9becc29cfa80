"""Goal: what a retry policy hides is counted, and no second of its pauses is taken for work of the endpoint.

Method: three calls of a second each, one of them refused twice before.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from runs import Request, frames_of
from smbench.analysis.capacity.price import price
from smbench.analysis.latency.retries import Wave, retries
from smbench.analysis.rows.frames import Frames
from smbench.pricing.table import shipped_prices
from smbench.records import RETRY, Event, Unknown

S = 1_000_000_000
PRICES = {"serverless.gb_second": 1.0, "data.gb_in": 0.0, "data.gb_out": 0.0}
ANSWERED: dict[str, Any] = {"answer_size_in_bytes": 1}


def refused(seq: int, attempt: int, sent_s: float, next_s: float) -> Event:
    return Event(
        kind=RETRY,
        name=f"smb-test-0-{seq}",
        at_ns=round(sent_s * S),
        seen_ns=round(sent_s * S),
        state="throttled",
        end_ns=round(next_s * S),
        cause="ThrottlingException",
        detail={"attempt": attempt},
    )


def retried() -> Frames:
    calls = [
        Request(0.0, done=1.0, ack=1.0, end_from="answer", changes=ANSWERED),
        Request(0.0, done=1.0, ack=1.0, end_from="answer", changes=ANSWERED),
        Request(0.0, done=8.0, ack=8.0, end_from="answer", attempts=3, changes=ANSWERED),
    ]
    target = {"kind": "serverless", "emulated": {"serverless": {"memory": 1024}}}
    events = [refused(2, 1, 0.0, 3.0), refused(2, 2, 3.0, 7.0)]
    made = frames_of(calls, events=events, scenario={"target": target}, target={"kind": "serverless"})
    return replace(made, prices=shipped_prices().with_own(PRICES))


def test_a_pause_before_a_try_is_not_paid_for() -> None:
    assert price(retried(), Unknown("none")).usd == pytest.approx(3.0)


def test_a_request_is_in_the_endpoint_from_its_last_try_on() -> None:
    found = retried()
    assert found.requests["service_age_ns"].to_list() == [S, S, S]
    assert found.backlog.means(np.array([5 * S]), S)[0] == 0
    assert found.requests["age_ns"].to_list() == [S, S, 8 * S]  # what the client waited is counted from when it was due


def retried_where(aws_s: float) -> Frames:
    """An asynchronous run, AWS's clock so far ahead; the last request was refused twice, and its notice was lost."""
    calls = [Request(n, send=n, ack=n + 0.02, recv=n + 0.01 + aws_s, done=n + 1 + aws_s) for n in range(20)]
    found: dict[str, Any] = {"seen": 10.0, "end_from": "output", "attempts": 3}
    calls.append(Request(0.0, done=8.0 + aws_s, ack=7.1, **found))
    return frames_of(calls, events=[refused(20, 1, 0.0, 3.0), refused(20, 2, 3.0, 7.0)])


@pytest.mark.parametrize("aws_s", [0.0, 4.0])
def test_the_last_try_is_on_our_clock_whatever_aws_has(aws_s: float) -> None:
    assert retried_where(aws_s).requests["recv_ns"].to_list()[-1] == 7 * S


def test_the_waves_are_how_many_requests_were_accepted_at_which_try() -> None:
    found = retries(retried())
    assert found is not None
    assert found.waves == (Wave(attempt=1, n=2), Wave(attempt=3, n=1))
