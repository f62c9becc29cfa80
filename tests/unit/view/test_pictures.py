"""Goal: a picture's title states what was found, and never more than is known.

Method: runs by hand whose finding is known, and the sentence that should follow; every chart checked against
Vega-Lite's own schema, which the page itself does not take the time for.
"""

from collections.abc import Callable

import altair as alt
import pytest
from altair.utils.schemapi import validate_jsonschema

from runs import Request, frames_of, reading, span
from smbench.analysis.rows.frames import Frames
from smbench.analysis.summary import summarise
from smbench.records import Event, Outcome
from smbench.view.page.gallery import Gallery, gallery
from smbench.view.page.pictures import spec_of
from smbench.view.page.theme import CONFIG

pytestmark = pytest.mark.slow

S = 1_000_000_000


def pictures_of(frames: Frames) -> Gallery:
    return gallery(frames, summarise(frames))


def stalled() -> Frames:
    """Due 20 ms apart and served in 1 s; the generator stands still from 3.0 to 4.4 s."""
    rows = []
    for k in range(500):
        send = 4.4 if 3.0 <= 0.02 * k < 4.4 else 0.02 * k
        rows.append(Request(0.02 * k, send=send, ack=send + 0.01, done=send + 1.0))
    return frames_of(rows, clock="real", spans=[span(500)])


def without_instances() -> Frames:
    """All 200 wait for 100 s for an instance, then 1 s each."""
    told = [
        reading(name, float(at >= 100), at)
        for at in range(0, 210, 1)
        for name in ("instances_current", "instances_desired")
    ]
    return frames_of([Request(0.0, done=101.0) for _ in range(200)], readings=told)


def censored() -> Frames:
    """250 of which 64 never end, watched for 900 s: nine in ten is beyond what is known."""
    rows = [Request(0.0, done=float(k + 1)) for k in range(186)] + [Request(0.0, Outcome.PENDING) for _ in range(64)]
    return frames_of(rows, readings=[reading("instances_current", 1.0, 900.0)])


def test_a_stall_of_the_generator_is_told_and_placed() -> None:
    shown = pictures_of(stalled())
    assert shown.lag is not None
    assert shown.lag.title.startswith("The generator was late by at most 1.40 s, near 0:03")
    assert shown.percentiles is not None
    assert shown.percentiles.title.endswith("latency from send hides up to 1.40 s")
    assert shown.rates is not None
    assert "99 % of them at most 1.30 s late" in shown.rates.title


def test_waiting_for_want_of_any_instance_is_told_beside_the_percentile() -> None:
    shown = pictures_of(without_instances())
    assert shown.latency is not None
    assert shown.latency.title.startswith("p95 is 101 s; 98.5 % of all waiting was for want of any instance")


def test_what_was_cut_off_is_more_than_was_watched() -> None:
    shown = pictures_of(censored())
    assert shown.latency is not None
    assert shown.latency.title.startswith("p95 is more than 15 m; 64 of 250 did not complete")
    assert shown.percentiles is not None
    assert shown.percentiles.title == "Half of the requests completed within 2 m 05 s; 64 of 250 did not"
    assert shown.system is not None
    assert shown.system.title.endswith("not drained 15 m after the last send")


def test_of_requests_that_completed_at_a_second_s_uncertainty_none_is_called_open() -> None:
    """A run without notices: each end is known to its second by S3's stamp, and all completed."""
    rows = [Request(0.1 * k, done=0.1 * k + 4.0, seen=30.0, end_from="output") for k in range(200)]
    shown = pictures_of(frames_of(rows, readings=[reading("instances_current", 1.0, 0.0)]))
    assert shown.percentiles is not None
    assert shown.percentiles.title.startswith("Half of the requests took ")
    assert shown.percentiles.title.endswith(" or more")
    assert shown.system is not None
    assert "; drained " in shown.system.title


def test_where_most_completed_and_some_had_just_been_sent_it_is_not_said_that_most_did_not() -> None:
    rows = [Request(0.0, done=30.0 + k) for k in range(60)] + [Request(99.0, Outcome.PENDING) for _ in range(40)]
    shown = pictures_of(frames_of(rows, readings=[reading("instances_current", 1.0, 100.0)]))
    assert shown.percentiles is not None
    assert shown.percentiles.title.startswith("Half of the requests completed within ")


def test_where_capacity_was_only_removed_nothing_is_said_of_capacity_that_was_added() -> None:
    events = [Event("scaling_activity", "a", 9 * S, 9 * S, "Successful", 10 * S, 2, 1)]
    told = [reading("instances_current", count, at) for count, at in ((2.0, 0.0), (1.0, 20.0))]
    shown = pictures_of(frames_of([Request(0.0, done=5.0)], readings=told, events=events))
    assert shown.system is not None
    assert "added" not in shown.system.title


def test_one_late_request_of_two_hundred_is_not_none() -> None:
    rows = [Request(0.1 * k, send=0.1 * k + (5.0 if k == 7 else 0.0), done=0.1 * k + 6.0) for k in range(200)]
    shown = pictures_of(frames_of(rows, clock="real", spans=[span(200)]))
    assert shown.rates is not None
    assert shown.rates.title == "All 200 requests were sent, 99 % of them at most 0 s late"


def test_requests_of_which_it_is_not_known_whether_they_were_sent_are_not_called_sent() -> None:
    rows = [Request(0.1 * k, done=0.1 * k + 1.0) for k in range(9)] + [Request(1.0, Outcome.UNKNOWN, send=None)]
    shown = pictures_of(frames_of(rows))
    assert shown.rates is not None
    assert shown.rates.title.startswith("9 of 10 requests were sent")


def test_nothing_accepted_is_nothing_to_draw_of_the_endpoint() -> None:
    shown = pictures_of(frames_of([Request(float(k), Outcome.REJECTED, error="ThrottlingException") for k in range(9)]))
    assert (shown.latency, shown.percentiles, shown.system, shown.clocks) == (None, None, None, None)
    assert shown.rates is not None
    assert shown.rates.title == "All 9 requests were sent, none late; 9 not accepted"


@pytest.mark.parametrize("run", [stalled, without_instances, censored])
@pytest.mark.parametrize("width", [250, 800])
def test_every_chart_is_valid_vega_lite(run: Callable[[], Frames], width: int) -> None:
    shown = pictures_of(run()).shown()
    assert len(shown) >= 4
    for picture in shown:
        validate_jsonschema(spec_of(picture, width), {"$ref": "#/definitions/TopLevelSpec"}, alt.load_schema())
        assert spec_of(picture, width)["config"] == CONFIG


def test_what_all_charts_share_is_valid_vega_lite() -> None:
    assert alt.Config.from_dict(CONFIG).to_dict(validate=True) == CONFIG
