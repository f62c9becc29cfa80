"""Goal: the law by a cube root is as near the exact one as its module says.

Method: scipy's exact laws beside it, from one degree of freedom to thousands.
"""

import pytest
from scipy import stats

from smbench.analysis.numbers.chi_square import noncentrality, p_above


@pytest.mark.parametrize("degrees", [0.5, 1, 3, 15, 100, 5_000])
def test_how_likely_a_value_is_agrees_with_the_exact_law(degrees: float) -> None:
    for p in (0.5, 0.05, 0.01, 0.001):
        assert p_above(stats.chi2.isf(p, degrees), degrees) == pytest.approx(p, rel=0.2)
    assert p_above(stats.chi2.isf(1e-6, degrees), degrees) > 0.99e-6  # further out it is too careful


@pytest.mark.parametrize("degrees", [1, 3, 20, 500])
@pytest.mark.parametrize("deviate", [1.96, -1.96])
def test_the_noncentrality_that_puts_a_value_there_is_found(degrees: float, deviate: float) -> None:
    for true in (10.0, 50.0, 1_000.0):
        value = stats.ncx2.ppf(stats.norm.cdf(deviate), degrees, true)
        assert noncentrality(value, degrees, deviate) == pytest.approx(true, abs=2.0)


def test_a_value_lower_than_asked_for_has_no_noncentrality() -> None:
    assert noncentrality(3.0, 20.0, -1.96) == 0.0
