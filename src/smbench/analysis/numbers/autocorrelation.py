"""How much the values of a series resemble those that follow."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def autocorrelation(values: Values) -> Values:
    """At every lag from 0 on, by the Wiener-Khinchin theorem; zeros where all values are the same."""
    n = len(values)
    if not np.ptp(values):  # their mean may differ from them in the last digit, and then all seem alike
        return np.zeros(n)
    centred = values - values.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum * spectrum.conj(), size)[:n]
    correlations: Values = products / products[0]
    return correlations
