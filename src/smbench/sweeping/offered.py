"""A scenario at another rate: its steady load, offered for as long as so many requests take, after a time to settle."""

from typing import Any

from smbench.errors import UsageError
from smbench.scenario.model import Scenario, Seeds
from smbench.scenario.phases import Constant, Phase, Poisson

SETTLE, MEASURED = "settle", "offered"  # the phases of a probe
SETTLE_SHARE = 0.25  # of the measured phase, and at least `settle_s`
_SCALING_S = 1800.0  # for alarms of minutes, cooldowns and instances to come: longer than a step to the maximum takes


def steady_rate_hz(scenario: Scenario) -> float:
    """The rate that the scenario itself offers.

    Raises:
        UsageError: its load is not one steady phase, so that there is no rate of it to change.
    """
    measured = [(place, phase) for place, phase in enumerate(scenario.load) if not phase.settings.warmup]
    steady = [(place, phase) for place, phase in measured if phase.kind in ("constant", "poisson")]
    advice = "give the search a scenario with one phase that is constant or poisson"
    if other := next(((place, phase) for place, phase in measured if phase not in [one for _, one in steady]), None):
        place, phase = other
        what = _WHAT.get(phase.kind, f"a {phase.kind}, {_NOT_STEADY}")
        raise UsageError(f"load.{place} is {what}", advice)
    if len(steady) != 1:
        raise UsageError(f"the load has {len(steady)} measured phases, and a search changes the rate of one", advice)
    settings = steady[0][1].settings
    assert isinstance(settings, Constant | Poisson)
    return settings.rate


_NOT_STEADY = "and a search offers one steady rate after another"
_WHAT = {
    "replay": "a recorded trace: a search cannot change its rate and keep its length",
    "closed": "a closed loop, which has no rate of its own: each end releases the next request",
    "users": "a closed loop of users: each sends the next request when the last has ended",
    "stairs": "a closed loop of users: each sends the next request when the last has ended",
    "steps": f"stairs of rates, {_NOT_STEADY}",
    "burst": "a burst, which has no rate",
    "pause": "a pause, in which nothing is offered",
}


def settle_s(scenario: Scenario, asked_s: float | None) -> float:
    """How long a rate is offered before it is measured, at least: what was asked for, or what scaling may take."""
    if asked_s is not None:
        return asked_s
    scales = scenario.target.endpoint is None and bool(scenario.target.emulated.policies)
    return _SCALING_S if scales else 0.0


def offered(
    scenario: Scenario, rate_hz: float, n: int, least_settle_s: float, number: int, thresholds: tuple[str, ...]
) -> Scenario:
    """The scenario that offers a rate, for `n` requests on average.

    Args:
        least_settle_s: Before them, at least; a quarter of their time if that is longer.
        number: Of the probe; each has chances of its own, which follow from the scenario's seed.
        thresholds: That the run is judged by.
    """
    kind = next(phase.kind for phase in scenario.load if not phase.settings.warmup)
    length_s = n / rate_hz
    settle: dict[str, Any] = {"rate": rate_hz, "for": max(least_settle_s, SETTLE_SHARE * length_s)}
    phases = [
        {kind: {**settle, "name": SETTLE, "warmup": True}},
        {kind: {"rate": rate_hz, "for": length_s, "name": MEASURED}},
    ]
    changes: dict[str, Any] = {
        "load": tuple(Phase.model_validate(phase) for phase in phases),
        "thresholds": thresholds,
        "seed": (scenario.seed * 1000 + number) % 2**63,
        "seeds": Seeds(),
    }
    return scenario.model_copy(update=changes)
