"""The cheapest policy that keeps the thresholds: its margin, and which limit it meets first."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smbench.model.law_facts import mean_s
from smbench.prediction.figures import is_worse_high
from smbench.prediction.space import Point, Space, space_of
from smbench.prediction.sweep import Foresee, Question, Row, Sweep, is_tied, simplicity, sweep
from smbench.scenario.emulated import Emulated, OpenQuestions, Policy
from smbench.scenario.values.distributions import Distribution

_WINDOW_S = 300.0  # the peak of the load is that of so long
_NEGLIGIBLE = 0.02  # of the figure: what improves it less, alone, does not bind it
_INSTANT = Distribution(constant=0.0)

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ColdFloor:
    """From the first request at zero instances to its answer, on average, at best; seconds."""

    detection_s: float
    provision_s: float
    service_s: float

    @property
    def total_s(self) -> float:
        """All three."""
        return self.detection_s + self.provision_s + self.service_s


@dataclass(frozen=True, slots=True)
class Bound:
    """One constraint relaxed alone: what the first objective's bound would be without it."""

    name: str
    without: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do.

    Args:
        sweep: Everything that was looked at.
        chosen: The cheapest policy that keeps every objective, or the simplest of those whose cost chance does not tell
            from the cheapest's; None: none keeps them.
        is_cheapest: Whether no policy that keeps them has a lower mean cost than the chosen one.
        runner_up: The next cheapest that keeps them and is not alike.
        best: The chosen, or where none keeps the objectives the one that comes nearest to the first.
        binding: What holds the best one's figure where it is, the strongest first; empty: the service itself does.
        floor: Of a policy that goes to zero.
    """

    sweep: Sweep
    chosen: Row | None
    is_cheapest: bool
    runner_up: Row | None
    best: Row
    binding: tuple[Bound, ...]
    floor: ColdFloor


def advise(question: Question, space: Space, watch: Watch | None = None, foresee: Foresee | None = None) -> Advice:
    """Search the space, then ask of the best one what binds it.

    Args:
        foresee: As `sweep` takes it.
    """
    found, kept = keeping(question, space, watch, foresee)
    objectives = question.objectives
    chosen = runner_up = None
    if kept:
        chosen = min((row for row in kept if is_tied(row, kept[0])), key=simplicity)
        runner_up = next((row for row in kept if row is not chosen and not is_tied(row, chosen)), None)
    sign = 1.0 if is_worse_high(objectives[0]) else -1.0
    best = chosen or min(found.rows, key=lambda row: (sign * row.bound(0, objectives[0]), row.cost))
    floor = cold_floor(best.point.emulated, question)
    is_cheapest = chosen is not None and chosen.cost <= kept[0].cost
    return Advice(found, chosen, is_cheapest, runner_up, best, _binding(question, best), floor)


def keeping(
    question: Question, space: Space, watch: Watch | None = None, foresee: Foresee | None = None
) -> tuple[Sweep, list[Row]]:
    """Everything that was looked at, and of it what keeps every objective, the cheapest first.

    What a screen left behind is looked at after all where nothing keeps them, or where it kept them in its one
    replication and cost less there than the cheapest that does.
    """
    objectives = question.objectives

    def search(*, leaves_out: bool) -> tuple[Sweep, list[Row]]:
        found = sweep(question, space.points, space.current, watch, leaves_out=leaves_out, foresee=foresee)
        return found, sorted((row for row in found.rows if row.keeps(objectives)), key=lambda row: row.cost)

    found, kept = search(leaves_out=True)
    seen_once = [row for row in found.screened_out if row.costs and row.keeps(objectives)]
    if (not kept and found.screened_out) or any(row.costs[0] < kept[0].costs[0] for row in seen_once):
        return search(leaves_out=False)
    return found, kept


def default_space(question: Question, emulated: Emulated, service_s: float) -> Space:
    """What to try by default: limits around what the load needs, several targets, with and without zero.

    Args:
        service_s: The mean service time.
    """
    sched_s = question.schedules[0].sched_ns / 1e9
    sched_s = sched_s[sched_s >= 0]
    span_s = max(float(sched_s[-1] - sched_s[0]), _WINDOW_S) if len(sched_s) else _WINDOW_S
    counts = np.histogram(sched_s, np.arange(0, (sched_s[-1] if len(sched_s) else 0) + 2 * _WINDOW_S, _WINDOW_S))[0]
    slots, highest = emulated.instances.concurrency, 1000

    def needed(rate_hz: float) -> int:
        return min(highest, max(1, math.ceil(rate_hz * service_s / slots)))

    mean, peak = needed(len(sched_s) / span_s), needed(float(counts.max(initial=0)) / _WINDOW_S)
    highs = sorted({mean, peak, min(highest, math.ceil(1.5 * peak)), min(highest, 2 * peak), emulated.instances.max})
    lows = sorted({1, mean, math.ceil((mean + peak) / 2), peak})
    targets = [slots * factor for factor in (1, 2, 4, 10)]
    common = {"max": highs, "backlog_per_instance": targets, "in_cooldown": [60, 300]}
    woken = {"min": [0], **common, "step_from_zero": [{"add": 1, "minutes": 1}, {"add": 2, "minutes": 1}]}
    held = {"min": lows, **common, "step_from_zero": ["none"]}
    spaces = [space_of(vary, emulated, "") for vary in (woken, held)]
    return Space(
        tuple(point for space in spaces for point in space.points),
        spaces[0].current,
        sum(space.n_senseless for space in spaces),
        spaces[0].other_start,
    )


def cold_floor(emulated: Emulated, question: Question) -> ColdFloor:
    """What no policy that starts one instance from zero beats on average: the fastest step, of one minute.

    The rest of the first minute (half of one) has an average below 1, so a whole minute follows; its datapoint is
    visible after the metric's delay, the alarm looks at it within a minute (half of one), then the action takes.
    """
    detection_s = 30 + 60 + mean_s(emulated.metric_delay, question.base_dir) + 30 + emulated.action_delay
    provision_s = _provision_s(emulated, question.base_dir)
    return ColdFloor(detection_s, provision_s, service_mean_s(emulated, question))


def service_mean_s(emulated: Emulated, question: Question) -> float:
    """Of the requests of the load: each class as often as it comes; of a load without any, each law as likely."""
    laws, payload = emulated.service.by_class, question.schedules[0].payload
    if not len(payload):
        return math.fsum(mean_s(law, question.base_dir) for law in laws.values()) / len(laws)
    counts = np.bincount(payload, minlength=len(question.payload_classes))
    spent = (
        n * mean_s(emulated.service.of(name), question.base_dir)
        for name, n in zip(question.payload_classes, counts.tolist(), strict=True)
        if n
    )
    return math.fsum(spent) / len(payload)


def _provision_s(emulated: Emulated, base_dir: Path) -> float:
    return mean_s(emulated.provision, base_dir) + mean_s(emulated.provision_common, base_dir)


def _binding(question: Question, best: Row) -> tuple[Bound, ...]:
    """Each constraint relaxed alone, with the same chances; those that matter, the strongest first."""
    objective = question.objectives[0]
    sign = 1.0 if is_worse_high(objective) else -1.0
    now = best.bound(0, objective)
    found = []
    for name, emulated in _relaxed(best.point.emulated):
        row = sweep(question, [], Point({}, emulated), leaves_out=False).current
        without = row.bound(0, objective)
        gain = sign * (now - without) if math.isfinite(now) or math.isfinite(without) else 0.0
        if gain > _NEGLIGIBLE * abs(now if math.isfinite(now) else 0.0):
            found.append(Bound(name, without))
    return tuple(sorted(found, key=lambda one: sign * one.without))


def _relaxed(emulated: Emulated) -> Sequence[tuple[str, Emulated]]:
    instances, questions = emulated.instances, emulated.open_questions
    at_once = OpenQuestions.model_validate({**questions.model_dump(), "tracking_points_out": 1})
    held = [_without_scale_in(policy) for policy in emulated.policies]
    return (
        ("MaxCapacity", emulated.model_copy(update={"instances": instances.model_copy(update={"max": 1000})})),
        ("provisioning", emulated.model_copy(update={"provision": _INSTANT, "provision_common": _INSTANT})),
        (
            "detection",
            emulated.model_copy(
                update={
                    "metric_delay": _INSTANT,
                    "action_delay": 0.0,
                    "open_questions": at_once,
                    "policies": tuple(_at_once(policy) for policy in emulated.policies),
                }
            ),
        ),
        ("scale-in", emulated.model_copy(update={"policies": tuple(held)})),
    )


def _at_once(policy: Policy) -> Policy:
    if policy.step_from_zero is not None:
        return Policy(step_from_zero=policy.step_from_zero.model_copy(update={"minutes": 1}))
    if policy.step is not None:
        return Policy(step=policy.step.model_copy(update={"datapoints": 1, "of": None}))
    return policy


def _without_scale_in(policy: Policy) -> Policy:
    if policy.target_tracking is None:
        return policy
    return Policy(target_tracking=policy.target_tracking.model_copy(update={"disable_scale_in": True}))


def margin(row: Row, question: Question) -> tuple[float, float | None]:
    """By how much the first objective is kept, or missed where negative: in its unit, and of its limit."""
    objective = question.objectives[0]
    sign = 1.0 if is_worse_high(objective) else -1.0
    left = sign * (objective.value - row.bound(0, objective))
    return left, left / objective.value if objective.value else None
