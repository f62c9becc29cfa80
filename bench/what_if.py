"""The fast what-if engine beside the model it must equal: the same load, requests a second of CPU, side by side.

`--policies N` times N of 1,000 policies on a day's trace, evenly chosen, and the screen of all of them.
`--check N` compares the two on N random scenarios, request by request and to the nanosecond, and measures nothing.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from machine import host
from smbench.api.predicting.what_if import read_question, read_space
from smbench.prediction.engine import compiled
from smbench.prediction.engine.foresee import by_reference, foresee, load_of
from smbench.prediction.sweep import one_by_one, screened
from smbench.scenario.model import Scenario
from smbench.schedule.base import Schedule
from smbench.schedule.plan import plan

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from foretold import EPOCH_NS, assert_equal, both, documents

RATE_HZ = 55.0  # in the mean; three waves, so that the fleet grows and shrinks three times


def wave(n: int) -> tuple[Scenario, Schedule]:
    """About `n` requests for a fleet of 1 to 64 instances of 4 slots, lognormal service, hosts of unlike speed."""
    span_s = n / RATE_HZ
    emulated = {
        "instances": {"min": 1, "max": 64, "concurrency": 4},
        "service": {"lognormal": {"median": "2s", "sigma": 0.5}},
        "service_spread": 0.05,
        "policies": [{"target_tracking": {"backlog_per_instance": 8, "in_cooldown": "60s"}}],
        "time": "warp",
    }
    load = [{"sine": {"mean": f"{RATE_HZ}/s", "amplitude": "50/s", "period": f"{span_s / 3}s", "for": f"{span_s}s"}}]
    scenario = Scenario.model_validate({"name": "wave", "target": {"emulated": emulated}, "load": load})
    return scenario, plan(scenario, Path(), [1.0])


def measure(n: int, repeats: int, *, with_model: bool) -> float:
    """Print a line, the medians of several takes in turn; how many times as fast, 0 without the model."""
    scenario, schedule = wave(n)
    fast_s, model_s = [], []
    for _ in range(repeats):
        since = time.process_time()
        load = load_of(scenario, None, schedule, ["a"])
        fast = foresee(scenario, None, schedule, ["a"], epoch_ns=EPOCH_NS, load=load)
        fast_s.append(time.process_time() - since)
        if with_model:
            since = time.process_time()
            model = by_reference(scenario, None, schedule, ["a"], epoch_ns=EPOCH_NS)
            model_s.append(time.process_time() - since)
            assert_equal(model, fast)
    instances = max(change.in_service for change in fast.changes)
    took_s = statistics.median(fast_s)
    line = f"{len(schedule):>11,} {instances:>10} {len(fast.changes):>8} {len(schedule) / took_s:>12,.0f}/s"
    if not model_s:
        print(line)
        return 0.0
    of_model_s = statistics.median(model_s)
    print(f"{line} {len(schedule) / of_model_s:>12,.0f}/s")
    return of_model_s / took_s


DAY = {
    "name": "day",
    "target": {
        "emulated": {
            "instances": {"min": 0, "max": 16, "concurrency": 4},
            "service": {"lognormal": {"median": "8s", "sigma": 0.6}},
            "service_spread": 0.05,
            "policies": [{"target_tracking": {"backlog_per_instance": 5}}, {"step_from_zero": {"minutes": 1}}],
            "time": "warp",
        }
    },
    "load": [{"sine": {"mean": "1.157/s", "amplitude": "1.1/s", "period": "24h", "for": "24h"}}],
    "drain": "1h",
}
VARY = {
    "min": [0, 1, 2, 4],
    "max": [4, 6, 8, 12, 16],
    "backlog_per_instance": [2, 4, 8, 16, 32],
    "in_cooldown": ["60s", "300s"],
    "out_cooldown": ["60s", "300s", "600s", "900s", "1200s"],
}


def day(n: int) -> None:
    """CPU of one replication of a policy on a day's trace, and of the screen of 1,000."""
    asked = read_question(DAY, None, ["p95 < 2m"], replications=2, force=False, base_dir=None, allow_files=())
    points, question = read_space(VARY, asked).points, asked.question
    foresee_all = one_by_one(question)
    list(foresee_all(0, [points[0].emulated]))  # draws the load, compiles
    since = time.process_time()
    taken, _ = screened(question, points)
    screen_s = time.process_time() - since
    took_s = []
    for place in range(0, len(points), len(points) // n):
        since = time.process_time()
        list(foresee_all(0, [points[place].emulated]))
        took_s.append(time.process_time() - since)
    print(
        f"{len(points):,} policies, {len(question.schedules[0]):,} requests: the screen takes {screen_s:.1f} s of CPU "
        f"and leaves {len(taken):,}; a policy's replication {1000 * statistics.mean(took_s):.0f} ms in the mean "
        f"({1000 * min(took_s):.0f} to {1000 * max(took_s):.0f})"
    )


def check(n: int) -> None:
    """Compare the two engines on `n` random scenarios."""
    n_requests = n_changes = n_done = 0

    @settings(max_examples=n, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(documents())
    def agree(document: dict[str, object]) -> None:
        nonlocal n_requests, n_changes, n_done
        model, fast = both(document)
        assert_equal(model, fast)
        n_done, n_requests, n_changes = n_done + 1, n_requests + len(model.rows), n_changes + len(model.changes)

    agree()
    print(f"{n_done:,} scenarios, {n_requests:,} requests, {n_changes:,} changes of the fleet: equal to the nanosecond")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", type=int, metavar="N", help="compare the engines on N random scenarios instead")
    options.add_argument("--requests", type=int, default=100_000, help="of the load that both foresee")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--policies", type=int, metavar="N", help="time N policies on a day's trace instead")
    asked = options.parse_args()
    if asked.check is not None:
        check(asked.check)
        return
    if asked.policies is not None:
        day(asked.policies)
        return
    print(host() + (", loops compiled by numba" if compiled.is_available() else ", without numba"))
    scenario, schedule = wave(2 * compiled.WORTH_IT_FROM)
    foresee(scenario, None, schedule, ["a"], epoch_ns=EPOCH_NS)  # compiles, where it does
    print(f"{'requests':>11} {'instances':>10} {'changes':>8} {'fast':>14} {'model':>14}")
    measure(10 * asked.requests, asked.repeats, with_model=False)
    times = measure(asked.requests, asked.repeats, with_model=True)
    print(f"{times:.1f} x")


if __name__ == "__main__":
    main()
