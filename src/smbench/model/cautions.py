"""Warnings about a scenario's scaling before the run: what its policies will do that its author may not expect.

AlarmLow judges whole minutes of the past. Where a load begins after a long quiet, it is in ALARM already, and for some
three minutes (the rest of a minute, the metric's delay, the alarm's second) all that it judges is from before the load.
"""

from collections.abc import Iterator

from smbench.model.endpoints.telemetry import PUBLISHED
from smbench.scenario.emulated import Emulated, TargetTracking
from smbench.scenario.model import Scenario
from smbench.scenario.values.quantities import format_duration

_EVALUATION_S = 150.0  # the rest of a minute, and the wait for an alarm's second; half of both after a change
_SLACK_S = 900.0  # what a load before the quiet may take to be worked off, during which AlarmLow counts nothing
_REMOVAL_S = 95.0  # the default law's mean; where it is drawn from another, the slack covers it


def scaling_cautions(scenario: Scenario) -> tuple[str, ...]:
    """Sentences for a person; empty for a real endpoint, whose policies the scenario does not know."""
    if scenario.target.endpoint is not None:
        return ()
    emulated = scenario.target.emulated
    if scenario.target.is_synchronous:
        return ()
    return (*_metrics_without_data(emulated), *_old_points(scenario, emulated))


def _metrics_without_data(emulated: Emulated) -> Iterator[str]:
    for policy in emulated.policies:
        if policy.step is not None and policy.step.metric not in PUBLISHED:
            yield (
                f"no asynchronous endpoint publishes {policy.step.metric} here: its alarm has no data, and the step "
                f"policy never scales; published are {', '.join(PUBLISHED)}"
            )


def _old_points(scenario: Scenario, emulated: Emulated) -> Iterator[str]:
    """Each phase that begins while AlarmLow is in ALARM and instances above the minimum may still be there."""
    tracking = [each.target_tracking for each in emulated.policies if each.target_tracking is not None]
    scaling_in = [each for each in tracking if not each.disable_scale_in]
    if not scaling_in or "in" in emulated.suspended:
        return
    points_in_s = 60.0 * emulated.open_questions.tracking_points_in
    quiet_s, most = emulated.initial.idle, emulated.instances.at_start
    for phase in scenario.load:
        if phase.kind == "pause":
            quiet_s += phase.planned_s or 0.0
            continue
        gone_s = points_in_s + _SLACK_S + _until_minimum_s(emulated, scaling_in[0], most)
        if points_in_s <= quiet_s < gone_s and most > emulated.instances.min:
            name, points_in, gone = (
                phase.settings.name or phase.kind,
                format_duration(points_in_s),
                format_duration(gone_s),
            )
            yield (
                f"phase {name} begins after {format_duration(quiet_s)} without requests. AlarmLow goes off after "
                f"{points_in}, and in the first three minutes its points are from before the load: a scale-in takes "
                f"instances away during the work. Pause for less than {points_in} or for more than {gone}, raise "
                "instances.min, or set disable_scale_in"
            )
        quiet_s, most = 0.0, emulated.instances.max


def _until_minimum_s(emulated: Emulated, tracking: TargetTracking, most: int) -> float:
    """How long it takes from the first scale-in until the minimum is reached."""
    is_gradual = emulated.open_questions.scale_in == "one_step"
    n_steps = max(0, most - emulated.instances.min) if is_gradual else 1
    return _EVALUATION_S + n_steps * (_REMOVAL_S + tracking.in_cooldown + 30.0)
