"""A model with parameters drawn again within their errors: for the band of a prediction.

The service of one endpoint drifts by some per cent between days, and a mean of few observations is uncertain: both
move a whole run, however many requests it has. Source: docs/methods.md#checking-a-model.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from smbench.calibration.parameter import Parameter
from smbench.scenario.emulated import Emulated
from smbench.scenario.values.distributions import Distribution, ServiceLaw

SERVICE_DRIFT = 0.05  # standard deviation, relative
PROVISIONING_DRIFT = 0.12
_ERRORS = 1.5  # standard errors of the mean
_LEAST = 0.2  # of a mean: a factor is never below it


def chances(seed: int, load_digest: str) -> np.random.Generator:
    """From which a model is drawn anew: by the seed of the replication, and by the load that is predicted.

    A band is made of few draws. By the seeds alone all predictions would share them, for most scenarios have the same
    seed, and a band that they make narrow by chance would be narrow in every prediction.
    """
    return np.random.default_rng([seed, 1, int(load_digest[:8], 16)])


def redrawn(emulated: Emulated, parameters: Sequence[Parameter], rng: np.random.Generator) -> Emulated:
    """The model with another mean of the service, of provisioning and of the metric's delay."""
    named = {each.name: each for each in parameters}
    # The endpoint drifts, and the fit is in error: two chances of their own, whose variances add.
    service = _factor(math.hypot(SERVICE_DRIFT, _ERRORS * _relative(named.get("service over concurrency"))), rng)
    provisioning = _factor(math.hypot(PROVISIONING_DRIFT, _ERRORS * _relative(named.get("provisioning"))), rng)
    delay = _factor(_beyond_the_law(named.get("metric delay"), emulated.metric_delay), rng)
    laws = {name: scaled(law, service) for name, law in emulated.service.by_class.items()}
    return emulated.model_copy(
        update={
            "service": ServiceLaw(by_class=laws),
            "provision": scaled(emulated.provision, provisioning),
            "metric_delay": scaled(emulated.metric_delay, delay),
        }
    )


def _relative(parameter: Parameter | None) -> float:
    """The standard error over the value; 0 where either is not known."""
    if parameter is None or parameter.error is None or not isinstance(parameter.value, float) or not parameter.value:
        return 0.0
    return parameter.error / parameter.value


def _beyond_the_law(parameter: Parameter | None, law: Distribution) -> float:
    """What of the relative error of a delay the law's own spread does not hold.

    Of when between two looks a datapoint became readable nothing is known, so the fit makes the law as wide as that
    (`calibration.detection`), and states it as the error as well: each draw from the law has it, and it counts once.
    """
    relative = _relative(parameter)
    if parameter is None or not relative or law.uniform is None:
        return relative
    assert isinstance(parameter.value, float), "it has a relative error"
    spread = (law.uniform.high - law.uniform.low) / math.sqrt(12) / parameter.value
    return math.sqrt(max(0.0, relative**2 - spread**2))


def _factor(deviation: float, rng: np.random.Generator) -> float:
    return max(_LEAST, float(rng.normal(1.0, deviation)))


def scaled(law: Distribution, factor: float) -> Distribution:
    """The law of durations `factor` times as long."""
    written: dict[str, Any] = law.model_dump(by_alias=True, exclude_none=True)
    ((kind, settings),) = written.items()
    if kind == "constant":
        return law.model_copy(update={"constant": settings * factor})
    own = getattr(law, kind)
    stretched = {"lognormal": ("median", "mean"), "uniform": ("low", "high"), "empirical": ("scale",)}
    names = stretched.get(kind, ("mean",))
    changed = own.model_copy(update={name: settings[name] * factor for name in names if name in settings})
    return law.model_copy(update={kind: changed})
