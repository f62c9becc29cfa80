"""How far predictions are from a run: by distribution, percentiles, backlog, capacity.

Source: docs/methods.md#checking-a-model.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from smbench.calibration.checking.behaviour import Behaviour
from smbench.calibration.distances import kolmogorov_smirnov, wasserstein

Values = npt.NDArray[np.float64]

PERCENTILES = (0.5, 0.9, 0.95, 0.99)
_WINDOW_NS = 10_000_000_000
_MATCH_S = 60.0

Figures = dict[str, float]


def disagreement(real: Behaviour, predicted: Sequence[Behaviour], slots: int, deadline_s: float | None) -> Figures:
    """Errors of several predictions taken as one: their mean distribution, their mean backlog, their median figures.

    Args:
        slots: Of an instance, for the time to drain.
        deadline_s: None: attainment is not compared.

    Returns:
        By name; an error that one side does not know is left out. Relative errors are of the run's own value.
    """
    pooled = np.sort(np.concatenate([one.latency_s for one in predicted]))
    figures = {"ks": kolmogorov_smirnov(real.latency_s, pooled), "w1": wasserstein(real.latency_s, pooled)}
    for share in PERCENTILES:
        figures |= _relative(f"p{share * 100:g}", real, predicted, partial(Behaviour.quantile_s, share=share))
    until_ns = max(one.backlog.end_ns for one in (real, *predicted))
    figures["backlog"] = _backlog(real, predicted, until_ns)
    figures |= _relative("peak", real, predicted, lambda one: one.peak()[0])
    figures["peak_at_s"] = float(np.median([one.peak()[1] for one in predicted])) - real.peak()[1]
    figures |= _relative("drain", real, predicted, lambda one: one.drain_s(slots))
    end_ns = real.backlog.end_ns
    figures |= _relative("instance_s", real, predicted, lambda one: one.paid_s(end_ns))
    figures["actions"] = float(np.mean([len(one.actions) for one in predicted])) - len(real.actions)
    if real.actions:
        figures["actions_unmatched"] = 1 - float(np.mean([_matched(real, one) for one in predicted]))
    if deadline_s is not None:
        hit = float(np.mean([one.attainment(deadline_s) for one in predicted]))
        figures["attainment"] = hit - real.attainment(deadline_s)
    return figures


def _backlog(real: Behaviour, predicted: Sequence[Behaviour], until_ns: int) -> float:
    """The mean absolute error of the backlog over its mean."""
    starts_ns = np.arange(0, until_ns, _WINDOW_NS, dtype=np.int64)
    measured = real.backlog.means(starts_ns, _WINDOW_NS)
    expected = np.mean([one.backlog.means(starts_ns, _WINDOW_NS) for one in predicted], axis=0)
    return float(np.abs(measured - expected).sum() / max(measured.sum(), 1e-12))


def _relative(
    name: str, real: Behaviour, predicted: Sequence[Behaviour], figure: Callable[[Behaviour], float | None]
) -> Figures:
    own, others = figure(real), [value for one in predicted if (value := figure(one)) is not None]
    if own is None or not np.isfinite(own) or own <= 0 or len(others) * 2 <= len(predicted):
        return {}
    median = float(np.median(others))
    return {name: median / own - 1} if np.isfinite(median) else {name: float("inf")}


def _matched(real: Behaviour, predicted: Behaviour) -> float:
    """The share of the run's changes of capacity that the prediction makes within a minute, each used once."""
    left = list(predicted.actions)
    n = 0
    for at_s, after in real.actions:
        near = [each for each in left if each[1] == after and abs(each[0] - at_s) <= _MATCH_S]
        if near:
            left.remove(min(near, key=lambda each: abs(each[0] - at_s)))
            n += 1
    return n / len(real.actions)
