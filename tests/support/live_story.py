"""An invented run for the live view: a burst meets no instances, waits for capacity, and is drained.

`story` tells it as the workers and gauges of a real run would. To look at it in a terminal:

    python tests/support/live_story.py --ui full --pace 0.25
"""

import argparse
import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from histograms import record
from smbench.clock import TimeKind, real_ns
from smbench.records import Event, Outcome, Reading, Stage
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import LogHistogram, Snapshot
from smbench.view.live.choose import choose_view
from smbench.view.live.state import LiveState, RunHeader

SECOND = 1_000_000_000
_BURST_N, _BURST_S, _SLOW_HZ, _SLOW_S = 2000, 10, 3, 600
_FLEET = ((0, 0, 0), (185, 0, 1), (190, 0, 3), (360, 3, 3), (1000, 3, 1), (1100, 1, 1))  # second, current, desired
_PER_INSTANCE_HZ = 2

HEADER = RunHeader(
    scenario="wake-from-zero",
    target="emulated endpoint",
    time_kind=TimeKind.WARP,
    phases=(
        PhaseSpan(0, "burst", "burst", False, 0, 10 * SECOND, 0, 2000, None, "2,000 requests within 10 s"),
        PhaseSpan(1, "poisson", "poisson", False, 10 * SECOND, 610 * SECOND, 2000, 1800, None, "3/s for 10 m"),
    ),
    n_scheduled=3800,
    drain_s=1200.0,
    in_flight_limit=1000,
    results="results/wake-from-zero-20261121T031200Z",
)
_ALARM = "TargetTracking-endpoint/smbench-emulated/variant/AllTraffic-AlarmHigh-1f0c"
_CAUSE = f"monitor alarm {_ALARM} in state ALARM triggered policy backlog"
_EVENTS = (
    Event("alarm", _ALARM, 180 * SECOND, 181 * SECOND, "OK -> ALARM"),
    Event("scaling_activity", "a1", 185 * SECOND, 186 * SECOND, "InProgress", after=1.0, cause=_CAUSE),
    Event("capacity", "AllTraffic", 190 * SECOND, 190 * SECOND, "Updating", before=0.0, after=3.0),
    Event("scaling_activity", "a1", 185 * SECOND, 362 * SECOND, "Successful", after=3.0, cause=_CAUSE),
    Event("alarm", _ALARM, 960 * SECOND, 961 * SECOND, "ALARM -> OK"),
    Event("scaling_activity", "a2", 1000 * SECOND, 1001 * SECOND, "Successful", after=1.0, cause=_CAUSE),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is heard at one moment."""

    snapshot: Snapshot
    readings: list[Reading] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def story(step_s: int = 5, *, in_flight: int = 12) -> Iterator[Scene]:
    """The run, a scene every `step_s` seconds of scenario time."""
    waiting: deque[list[int]] = deque()  # second they were due, how many
    sojourn, lag, ack, observer = (LogHistogram() for _ in range(4))
    n_due = n_completed = n_rejected = 0
    for second in range(1500):
        new = _BURST_N // _BURST_S if second < _BURST_S else (_SLOW_HZ if second < _BURST_S + _SLOW_S else 0)
        n_due += new
        refused = int(new == _SLOW_HZ and second % 50 == 0)
        n_rejected += refused
        waiting.append([second, new - refused])
        for place in range(new):
            record(lag, 0.0004 + 0.0002 * (place % 7))
            record(ack, 0.011 + 0.001 * (place % 13))
        _, current, desired = next(state for state in reversed(_FLEET) if second >= state[0])
        for _ in range(current * _PER_INSTANCE_HZ):
            while waiting and not waiting[0][1]:
                waiting.popleft()
            if waiting:
                waiting[0][1] -= 1
                n_completed += 1
                record(sojourn, second - waiting[0][0] + 1.2)
                record(observer, 0.09)
        backlog = sum(n for _, n in waiting)
        oldest_s = next((second - due for due, n in waiting if n), None)
        is_over = second > _BURST_S + _SLOW_S and not backlog
        if second % step_s and not is_over:
            continue
        stage = Stage.SENDING if second < _BURST_S + _SLOW_S else Stage.DRAINING
        snapshot = Snapshot(
            worker=0,
            at_ns=second * SECOND,
            real_elapsed_s=second / 112,
            stage=Stage.DONE if is_over else stage,
            phase="burst" if second < _BURST_S else "poisson",
            phase_index=int(second >= _BURST_S),
            n_scheduled=3800,
            n_due=n_due,
            n_sent=n_due,
            n_in_flight=in_flight if stage == Stage.SENDING else 0,
            n_bad_answers=n_rejected,
            n_accepted=n_due - n_rejected,
            backlog_seen=backlog,
            oldest_age_s=oldest_s,
            outcomes={Outcome.COMPLETED: n_completed, Outcome.REJECTED: n_rejected},
            errors={"ThrottlingException": n_rejected} if n_rejected else {},
            n_notices=n_completed,
            sojourn=sojourn.copy(),
            schedule_lag=lag.copy(),
            ack=ack.copy(),
            hearing=observer.copy(),
            receivers=2,
            receivers_max=16,
            loop_lag_max_s=0.002,
            cpu_share=0.31,
            rss_bytes=96_000_000,
        )
        readings = [
            Reading("endpoint", "instances_current", "value", float(current), second * SECOND, second * SECOND),
            Reading("endpoint", "instances_desired", "value", float(desired), second * SECOND, second * SECOND),
        ]
        if second % 60 < step_s and second > 120:
            minute_ns = (second - second % 60 - 60) * SECOND
            readings.append(
                Reading("cloudwatch", "ApproximateBacklogSize", "average", backlog + 7.5, minute_ns, second * SECOND)
            )
        events = [event for event in _EVENTS if second - step_s < event.seen_ns // SECOND <= second]
        yield Scene(snapshot, readings, events)
        if is_over:
            return


def state_at(second: int, header: RunHeader = HEADER, step_s: int = 5) -> LiveState:
    """What is known when the story has come this far."""
    state = LiveState(header)
    for scene in story(step_s):
        if scene.snapshot.at_ns > second * SECOND:
            break
        state.update([scene.snapshot])
        state.read(scene.readings, scene.events)
    return state


def main() -> None:
    """Play the story on stderr."""
    options = argparse.ArgumentParser()
    options.add_argument("--ui", default="auto")
    options.add_argument("--pace", type=float, default=0.0, help="real seconds between two scenes")
    options.add_argument("--until", type=int, default=10_000, help="second at which the story stands still")
    options.add_argument("--hold", type=float, default=0.0, help="real seconds to stay on the last screen")
    given = options.parse_args()
    state = LiveState(HEADER)
    ticks = itertools.count(0, SECOND // 4)  # without a pace every scene is a frame
    now_ns = real_ns if given.pace else lambda: next(ticks)
    with choose_view(given.ui, sys.stderr, os.environ, now_ns=now_ns) as view:
        for scene in story():
            state.update([scene.snapshot])
            state.read(scene.readings, scene.events)
            view.show(state)
            time.sleep(given.pace)
            if scene.snapshot.at_ns >= given.until * SECOND:
                break
        time.sleep(given.hold)


if __name__ == "__main__":
    main()
