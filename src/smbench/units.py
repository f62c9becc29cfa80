"""Formats numbers for people: 1.24 s, 310 ms, 4 m 12 s, 1,200 requests, 3.5 %."""

import math


def duration(seconds: float) -> str:
    """Three figures and one unit below two minutes; above, whole units of two sizes."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds == 0:
        return "0 s"
    for unit, size in (("us", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            return f"{_three_figures(seconds / size)} {unit}"
    if seconds < 119.5:
        return f"{_three_figures(seconds)} s"
    for big, small, ratio, in_seconds in (("m", "s", 60, 1), ("h", "m", 60, 60), ("d", "h", 24, 3600)):
        whole, rest = divmod(round(seconds / in_seconds), ratio)
        if whole < 120 or big == "d":
            return f"{whole:,} {big} {rest:02d} {small}" if rest else f"{whole:,} {big}"
    raise AssertionError(seconds)


def rate(hertz: float | None) -> str:
    """Per second; per minute or hour where that reads better."""
    if hertz is None:
        return "-"
    if hertz == 0:
        return "0/s"
    for unit, ratio in (("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if hertz * ratio >= 0.9995 or unit == "h":
            return f"{_three_figures(hertz * ratio)}/{unit}"
    raise AssertionError(hertz)


def whole(number: float) -> str:
    """A count of things, which may come as a float."""
    return f"{number:,.0f}"


def counted(n: int, one: str, several: str = "") -> str:
    """`1 duplicate`, `2 duplicates`; with `several`, where an s does not make the plural: `1 has`, `2 have`."""
    return f"{n:,} {one if n == 1 else several or f'{one}s'}"


def requests_were(n: int) -> str:
    """`1 request was`, `2 requests were`: how a sentence about requests begins."""
    return counted(n, "request was", "requests were")


def share(fraction: float | None) -> str:
    """Per cent; never rounded to 0 % or 100 % unless it is."""
    if fraction is None:
        return "-"
    percent = 100 * fraction
    if 0 < percent < 0.01:
        return "< 0.01 %"
    if 99.99 < percent < 100:
        return "> 99.99 %"
    return f"{_three_figures(percent)} %" if percent < 99.95 or percent >= 100 else f"{percent:.2f} %"


def size(n_bytes: float) -> str:
    """Bytes, in powers of 1,024."""
    for unit in ("B", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{_three_figures(n_bytes)} {unit}"
        n_bytes /= 1024
    return f"{_three_figures(n_bytes)} GiB"


def _three_figures(number: float) -> str:
    if number == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(number))))
    if round(abs(number), decimals) >= 10 ** (3 - decimals):  # rounding carried into another figure
        decimals = max(0, decimals - 1)
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals > 2 else text


def usd(amount: float) -> str:
    """Dollars to the cent, below a dollar to two figures, never as a power of ten."""
    rounded = float(f"{amount:.2g}")
    if abs(rounded) >= 1 or rounded == 0:
        return f"{amount:,.2f} USD"
    decimals = 1 - math.floor(math.log10(abs(rounded)))
    return f"{f'{rounded:.{decimals}f}'.rstrip('0')} USD"
