"""The chi-square law, central and noncentral: by a cube root that is nearly normal.

Against the exact laws p is right to a fifth of itself down to 1e-3 and too large below; a noncentrality is right to 2,
most wrong with one degree of freedom. Sources: Wilson and Hilferty 1931; Abdel-Aty 1954 for the noncentral law.
"""

import math


def p_above(value: float, degrees: float) -> float:
    """How likely a value as high as this, or higher, is."""
    return 0.5 * math.erfc(_deviate(value, degrees, 0.0) / math.sqrt(2))


def noncentrality(value: float, degrees: float, deviate: float) -> float:
    """With which the value would be as extreme as the standard normal deviate; 0 where it is less extreme already."""
    if _deviate(value, degrees, 0.0) <= deviate:
        return 0.0
    low, high = 0.0, 4 * value + 100 * (1 + degrees)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _deviate(value, degrees, middle) > deviate else (low, middle)
    return low


def _deviate(value: float, degrees: float, noncentrality: float) -> float:
    mean = degrees + noncentrality
    variance = 2 * (degrees + 2 * noncentrality) / (9 * mean**2)
    return (math.cbrt(value / mean) - 1 + variance) / math.sqrt(variance)
