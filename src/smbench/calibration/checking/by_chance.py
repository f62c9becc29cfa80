"""Alarms that are evaluated just when the minute's datapoint becomes readable: chance decides what they see.

Such an alarm acts a minute earlier or later than another time, however good the model is.
"""

from pathlib import Path

import numpy as np

from smbench.calibration.parameter import Parameter
from smbench.model.service import Sampler
from smbench.scenario.emulated import Emulated

_MINUTE_S = 60.0
_DRAWS = 1000
_EDGE_S = 0.5  # an alarm is that near to its second


def alarms_by_chance(emulated: Emulated, parameters: tuple[Parameter, ...], base_dir: Path | None) -> tuple[str, ...]:
    """A sentence for each alarm whose second is known and within the metric's delay, by its law or by its error."""
    drawn_s = Sampler(emulated.metric_delay, np.random.default_rng(0), base_dir).first_s(_DRAWS)
    error_s = next((each.error for each in parameters if each.name == "metric delay"), None) or 0.0
    low_s, high_s = float(drawn_s.min()), float(drawn_s.max())
    if high_s - low_s < 2 * error_s:  # a law narrower than what is known of it
        middle_s = (low_s + high_s) / 2
        low_s, high_s = middle_s - error_s, middle_s + error_s
    found = []
    for known in emulated.initial.alarm_seconds:
        for which, second_s in (("high", known.high), ("low", known.low)):
            if second_s is not None and (second_s - low_s + _EDGE_S) % _MINUTE_S < high_s - low_s + 2 * _EDGE_S:
                found.append(
                    f"the {which} alarm of policy {known.policy} is evaluated {second_s:.1f} s into the minute, when a "
                    f"datapoint may or may not be readable ({max(0.0, low_s):.1f} to {high_s:.1f} s): chance moves its "
                    "action by a minute, and the errors with it"
                )
    return tuple(found)
