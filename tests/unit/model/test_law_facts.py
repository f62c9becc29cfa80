"""Goal: mean and tail of a law agree with its draws.

Method: every law, 200,000 draws of the sampler that the model uses, and known answers.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smbench.model.law_facts import mean_s, mean_within_s, share_beyond
from smbench.model.service import Sampler
from smbench.scenario.values.distributions import Distribution

LAWS: list[dict[str, Any]] = [
    {"lognormal": {"median": "4s", "sigma": 0.4}},
    {"lognormal": {"mean": "4s", "sigma": 0.4}},
    {"lognormal": {"median": "4s", "sigma": 0}},
    {"gamma": {"mean": "4s", "cv": 0.5}},
    {"exponential": {"mean": "4s"}},
    {"uniform": {"low": "2s", "high": "6s"}},
    {"empirical": {"file": "s.txt"}},
    {"constant": "4s"},
]


def law(written: dict[str, Any]) -> Distribution:
    return Distribution.model_validate(written)


@pytest.mark.slow
@pytest.mark.parametrize("written", LAWS, ids=lambda written: next(iter(written)))
def test_mean_and_tail_of_a_law_are_those_of_its_draws(tmp_path: Path, written: dict[str, Any]) -> None:
    (tmp_path / "s.txt").write_text("1\n3\n8\n")
    sampler = Sampler(law(written), np.random.default_rng(3), tmp_path)
    draws = np.array([sampler.draw_s() for _ in range(200_000)])
    assert mean_s(law(written), tmp_path) == pytest.approx(draws.mean(), rel=0.01)
    for limit_s in (1.5, 4.5, 7.0):
        assert share_beyond(law(written), limit_s, tmp_path) == pytest.approx((draws > limit_s).mean(), abs=0.01)
        cut_s = float(np.minimum(draws, limit_s).mean())
        assert mean_within_s(law(written), limit_s, tmp_path) == pytest.approx(cut_s, rel=0.01)


def test_a_lognormal_s_mean_is_above_its_median() -> None:
    by_median, by_mean = (law({"lognormal": {name: "4s", "sigma": 0.4}}) for name in ("median", "mean"))
    assert mean_s(by_median) == pytest.approx(4 * math.exp(0.08))  # 4.33 s
    assert mean_s(by_mean) == pytest.approx(4.0)
    assert by_mean.lognormal is not None
    assert by_mean.lognormal.median_s == pytest.approx(3.692, abs=0.001)


@pytest.mark.parametrize("centres", [{}, {"median": "1s", "mean": "1s"}])
def test_a_lognormal_has_one_centre(centres: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must have either median or mean"):
        law({"lognormal": {"sigma": 0.4, **centres}})
