"""Random scenarios for the two engines, and what must be equal between them."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from smbench.prediction.engine.foresee import Foreseen, by_reference, foresee, unknown_to_fast
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan

EPOCH_NS = 1_767_225_600_000_000_000  # 2026-01-01: a whole minute
CLASSES = ("a", "b", "other", "another")

# Whole seconds beside laws: instants that coincide are where the mistakes are.
spans = st.sampled_from(["0s", "1s", "30s", "60s", "120s"])
laws = st.one_of(
    spans,
    st.sampled_from(
        [
            {"lognormal": {"median": "2s", "sigma": 0.8}},
            {"exponential": {"mean": "10s"}},
            {"uniform": {"low": "1s", "high": "90s"}},
            {"gamma": {"mean": "4s", "cv": 2.0}},
        ]
    ),
)
tracking = st.fixed_dictionaries(
    {
        "backlog_per_instance": st.sampled_from([0.5, 2, 5, 20]),
        "out_cooldown": st.sampled_from(["0s", "60s", "300s"]),
        "in_cooldown": st.sampled_from(["0s", "60s", "300s"]),
        "disable_scale_in": st.booleans(),
    }
).map(lambda settings: {"target_tracking": settings})
from_zero = st.fixed_dictionaries({"add": st.integers(1, 3), "cooldown": spans, "minutes": st.integers(1, 3)}).map(
    lambda settings: {"step_from_zero": settings}
)
steps_out = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(
            ["ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"]
        ),
        "statistic": st.sampled_from(["Average", "Sum"]),
        "comparison": st.sampled_from([">=", ">"]),
        "threshold": st.sampled_from([0, 1, 4, 30]),
        "datapoints": st.integers(1, 3),
        "of": st.none() | st.integers(3, 4),
        "missing": st.sampled_from(["missing", "breaching", "notBreaching", "ignore"]),
        "adjustment": st.sampled_from(["change", "exact", "percent"]),
        "steps": st.sampled_from(
            [
                [{"lower": 0, "change": 2}],
                [{"lower": 0, "upper": 10, "change": 1}, {"lower": 10, "change": 4}],
                [{"change": 50}],
            ]
        ),
        "cooldown": spans,
    }
).map(lambda settings: {"step": settings})
steps_in = st.fixed_dictionaries(
    {
        "metric": st.just("ApproximateBacklogSizePerInstance"),
        "comparison": st.just("<"),
        "threshold": st.sampled_from([0.5, 3]),
        "datapoints": st.integers(1, 4),
        "steps": st.just([{"upper": 0, "change": -1}]),
        "cooldown": spans,
    }
).map(lambda settings: {"step": settings})
questions = st.fixed_dictionaries(
    {
        "drain_on_remove": st.booleans(),
        "redeliver_on_death": st.booleans(),
        "serialise_updates": st.booleans(),
        "per_instance_at_zero": st.sampled_from(["as_one", "missing"]),
        "zeros_when_idle": st.booleans(),
        "scale_in": st.sampled_from(["one_step", "proportional"]),
        "tracking_leaves_zero": st.booleans(),
        "expiry_notifies": st.booleans(),
        "timeout_notifies": st.booleans(),
        "tracking_points_in": st.integers(1, 5),
        "alarm_phase": st.sampled_from(["0s", "30s", {"uniform": {"low": "0s", "high": "60s"}}]),
    }
)
phases = st.one_of(
    st.fixed_dictionaries(
        {"rate": st.sampled_from(["0.2/s", "1/s", "3/s"]), "for": st.sampled_from(["1m", "6m", "15m"])}
    ).flatmap(lambda settings: st.sampled_from([{"poisson": settings}, {"constant": settings}])),
    st.fixed_dictionaries({"requests": st.integers(1, 150), "within": st.sampled_from(["0s", "10s", "5m"])}).map(
        lambda settings: {"burst": settings}
    ),
    st.sampled_from([{"pause": {"for": "4m"}}, {"pause": {"for": "20m"}}]),
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario whose endpoint may have everything that the fast engine knows."""
    low = draw(st.integers(0, 2))
    high = low + draw(st.integers(1, 6))
    service = draw(laws)
    by_class = {"by_class": {"": service, "a": draw(laws), "b": draw(laws)}}
    emulated = {
        "instances": {
            "min": low,
            "max": high,
            "start": draw(st.integers(low, high)),
            "concurrency": draw(st.integers(1, 4)),
        },
        "service": draw(st.sampled_from([service, by_class])),
        "service_spread": draw(st.sampled_from([0.0, 0.2])),
        "host_speeds": draw(st.sampled_from([[], [0.5, 2.0]])),
        "provision": draw(laws),
        "provision_common": draw(st.sampled_from(["0s", {"exponential": {"mean": "30s"}}])),
        "remove": draw(laws),
        "metric_delay": draw(st.sampled_from(["0s", "5s", {"uniform": {"low": "0s", "high": "90s"}}])),
        "notify_lag": draw(
            st.sampled_from(["0s", {"exponential": {"mean": "1s"}}, {"uniform": {"low": "0s", "high": "9m"}}])
        ),
        "results_kept": draw(st.sampled_from([None, "100s"])),
        "action_delay": draw(st.sampled_from(["0s", "5s"])),
        "start_of_minute": draw(st.sampled_from(["0s", "17s"])),
        "policies": draw(st.lists(st.one_of(tracking, from_zero, steps_out, steps_in), min_size=1, max_size=4)),
        "faults": {
            "container_errors": draw(st.sampled_from([0.0, 0.1])),
            "provision_failures": draw(st.sampled_from([0.0, 0.3])),
            "metric_gaps": draw(st.sampled_from([0.0, 0.2])),
        },
        "open_questions": draw(questions),
        "initial": draw(
            st.sampled_from([{}, {"idle": "20m"}, {"backlog": [3, 9], "cooldown": {"after": "in", "left": "2m"}}])
        ),
        "scheduled": draw(st.sampled_from([[], [{"at": "3m", "min": low + 1, "max": high}]])),
        "suspended": draw(st.sampled_from([[], ["in"]])),
        "time": "warp",
    }
    return {
        "name": "random",
        "seed": draw(st.integers(0, 1000)),
        "target": {"emulated": emulated},
        "request": draw(st.sampled_from([{}, {"ttl": "60s"}, {"ttl": "120s", "timeout": "20s"}, {"timeout": "5s"}])),
        "load": draw(st.lists(phases, min_size=2, max_size=4)),
        "drain": draw(st.sampled_from(["0s", "5m", "2h"])),
        "limits": draw(st.sampled_from([{}, {"requests": 40}, {"time": "4m"}])),
    }


def both(document: dict[str, Any]) -> tuple[Foreseen, Foreseen]:
    """What the model says, and the fast engine."""
    scenario = Scenario.model_validate(document)
    schedule = plan(scenario, Path(), [1.0] * len(CLASSES))
    assert unknown_to_fast(scenario, schedule) == ()
    epoch_ns = EPOCH_NS + round(scenario.target.emulated.start_of_minute * 1e9)
    return (
        by_reference(scenario, None, schedule, CLASSES, epoch_ns=epoch_ns),
        foresee(scenario, None, schedule, CLASSES, epoch_ns=epoch_ns),
    )


def assert_equal(model: Foreseen, fast: Foreseen) -> None:
    """Every instant and outcome, to the nanosecond, and everything that happened to the fleet."""
    assert [(one.at_ns, one.kind, one.desired_after, one.in_service, one.instance) for one in fast.changes] == [
        (one.at_ns, one.kind, one.desired_after, one.in_service, one.instance) for one in model.changes
    ]
    for name in ("sched_ns", "rows", "start_ns", "done_ns", "seen_ns", "told_ns", "outcome"):
        differ = np.flatnonzero(getattr(fast, name) != getattr(model, name))
        assert not len(differ), (
            f"{name} of {differ[:5]}: {getattr(fast, name)[differ[:5]]}, {getattr(model, name)[differ[:5]]}"
        )
    assert fast.changes == model.changes
    assert fast.billed == model.billed
    assert fast.end_ns == model.end_ns
    assert fast.by_reference == ()
