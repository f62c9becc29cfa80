"""What the endpoint does at scale-in: by one instance at a time, or by as many as the metric asks for."""

from collections.abc import Sequence

from smbench.calibration.delays import steps
from smbench.calibration.parameter import Parameter, Source, assumed
from smbench.calibration.runs import MeasuredRun

NAME = "scale-in of target tracking"


def scale_in(runs: Sequence[MeasuredRun], min_instances: int) -> Parameter:
    """`one_step` or `proportional`, where a step of AlarmLow shows it.

    A step by one shows something only where more than one instance could have been removed.
    """
    found = [
        (step.before - step.after, step.before - min_instances)
        for run in runs
        for step in steps(run)
        if not step.is_out and step.alarm_kind == "AlarmLow" and step.before is not None
    ]
    if any(removed > 1 for removed, _ in found):
        return Parameter(name=NAME, value="proportional", n=len(found), source=Source.SCALING)
    n_telling = sum(room > 1 for _, room in found)
    if n_telling:
        return Parameter(name=NAME, value="one_step", n=n_telling, source=Source.SCALING)
    why = "AlarmLow removed nothing while two instances could have been removed; wait 20 idle minutes after the load"
    return assumed(NAME, "one_step", "", why)
