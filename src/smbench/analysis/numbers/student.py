"""Student's t for whole degrees of freedom, in closed form.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4.
"""

import functools
import math


def p_beyond(t: float, degrees: int) -> float:
    """How likely a value above `t` is, one-sided; infinite `t` allowed. `degrees` is at least 1."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    angle = math.atan(abs(t) / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    within = _odd(angle, sine, cosine, degrees) if degrees % 2 else sine * _sum(cosine, degrees, first=0)
    tail = max(0.0, 1 - within) / 2
    return tail if t >= 0 else 1 - tail


@functools.cache
def quantile(confidence: float, degrees: int) -> float:
    """The t that values exceed in size with probability 1 - `confidence`, a number above 0 and below 1."""
    low, high = 0.0, 1.0
    while 2 * p_beyond(high, degrees) > 1 - confidence:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if 2 * p_beyond(middle, degrees) > 1 - confidence else (low, middle)
    return high


def _odd(angle: float, sine: float, cosine: float, degrees: int) -> float:
    rest = sine * cosine * _sum(cosine, degrees, first=1) if degrees > 1 else 0.0
    return (angle + rest) * 2 / math.pi


def _sum(cosine: float, degrees: int, first: int) -> float:
    """1 + (f+1)/(f+2) cos^2 + (f+1)(f+3)/((f+2)(f+4)) cos^4 + .. up to the term in cos^(degrees - 2 - f)."""
    total = term = 1.0
    for k in range(first + 2, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return total
